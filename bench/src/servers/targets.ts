/** The servers of `--servers`: Siltstone's, that of another checkout, Chroma's, or a running one. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { batches, type Dataset } from '../data/dataset.ts'
import type { Report } from '../measure/report.ts'
import type { Options } from '../options.ts'
import { STORES } from '../places.ts'
import { COLLECTION } from './collection-name.ts'
import { HttpError, writeBody } from './http-client.ts'
import { untilIdle } from './idle.ts'
import { elsewhere, type Server, sleep, startChroma, startSiltstone } from './server-process.ts'

function storeDirectory(target: string, data: Dataset): string {
  return join(STORES, `${data.key}-${target.replace(/\W+/g, '-')}`)
}

/** Starts it on an empty directory. */
export async function freshServer(target: string, data: Dataset): Promise<Server> {
  const directory = storeDirectory(target, data)
  rmSync(`${directory}.loaded`, { force: true })
  rmSync(directory, { recursive: true, force: true })
  const server = await onDirectory(target, directory)
  if (server.directory === undefined) await deleteIfThere(server)
  return server
}

/** Whether its directory has the whole data set. */
export function markLoaded({ directory }: Server): void {
  if (directory !== undefined) writeFileSync(`${directory}.loaded`, new Date().toISOString())
}

function onDirectory(target: string, directory: string): Promise<Server> {
  if (target === 'siltstone') return startSiltstone({ directory })
  const checkout = /^siltstone@(.+)/.exec(target)?.[1]
  if (checkout !== undefined) return startSiltstone({ directory, name: target, main: mainOf(checkout) })
  if (target === 'chroma') return startChroma({ directory })
  if (/^https?:/.test(target)) return Promise.resolve(elsewhere(target))
  throw new Error(`--servers ${target}: give siltstone, siltstone@DIRECTORY, chroma or a base URL`)
}

/** @throws Error if the directory is no checkout */
function mainOf(checkout: string): string {
  // An older checkout has no start script.
  const mains = ['siltstone.cjs', 'main.ts'].map((name) => resolve(checkout, 'packages/siltstone/src/cli', name))
  const main = mains.find((path) => existsSync(path))
  if (main === undefined) throw new Error(`--servers siltstone@${checkout}: ${mains[0]} is missing; give a checkout`)
  return main
}

async function deleteIfThere(server: Server): Promise<void> {
  try {
    await server.client.deleteCollection(COLLECTION)
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 404) throw error
  }
}

export interface Loaded {
  server: Server
  id: string
}

/** A server with the data, which is loaded once per target and data set, and kept: use it only for reads. */
async function loadedServer(
  target: string,
  data: Dataset,
  report: Report,
  again: boolean,
): Promise<Loaded & { isFresh: boolean }> {
  const directory = storeDirectory(target, data)
  const there = !again && existsSync(`${directory}.loaded`)
  const server =
    there || /^https?:/.test(target) ? await onDirectory(target, directory) : await freshServer(target, data)
  const id = await server.client.createCollection(COLLECTION)
  if ((await server.client.count(id)) === data.count) return { server, id, isFresh: false }
  report.note(`${server.name}: loading ${data.name}`)
  for (const rows of batches(data, 1_000)) await patiently(() => server.client.write('upsert', id, writeBody(rows)))
  await untilIdle(server, id)
  markLoaded(server)
  return { server, id, isFresh: true }
}

/** Starts one server on the data, and stops it after `use`. */
export async function onLoaded(
  target: string,
  data: Dataset,
  report: Report,
  again: boolean,
  use: (loaded: Loaded) => Promise<void>,
): Promise<void> {
  let loaded = await loadedServer(target, data, report, again)
  try {
    if (loaded.isFresh) {
      // The process that loaded the data has it in memory.
      await loaded.server.stop()
      loaded = await loadedServer(target, data, report, false)
    }
    await use(loaded)
  } finally {
    await loaded.server.stop()
  }
}

export async function withServers(
  options: Options,
  data: Dataset,
  report: Report,
  use: (servers: readonly Loaded[]) => Promise<void>,
): Promise<void> {
  const servers: Loaded[] = []
  try {
    for (const target of options.servers) servers.push(await loadedServer(target, data, report, options.rebuild))
    await use(servers)
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()))
  }
}

/** Waits when the server asks for it. */
async function patiently<T>(send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 429) throw error
      await sleep(100)
    }
  }
}
