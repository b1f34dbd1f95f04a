/** What `--servers` names: our server, Chroma's, or one that runs already. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { batches, type Dataset } from '../data/dataset.ts'
import type { Report } from '../measure/report.ts'
import { SCRATCH } from '../places.ts'
import { HttpError, writeBody } from './http-client.ts'
import { untilIdle } from './idle.ts'
import { elsewhere, type Server, sleep, startChroma, startSiltstone } from './server-process.ts'

export const COLLECTION = 'passages'

/** On an empty directory. */
export async function freshServer(target: string, purpose: string): Promise<Server> {
  const directory = join(SCRATCH, 'stores', `${purpose}-${target.replace(/\W+/g, '-')}`)
  rmSync(directory, { recursive: true, force: true })
  const server = await onDirectory(target, directory)
  if (server.directory === undefined) await deleteIfThere(server)
  return server
}

function onDirectory(target: string, directory: string): Promise<Server> {
  if (target === 'siltstone') return startSiltstone({ directory })
  if (target === 'chroma') return startChroma({ directory })
  if (/^https?:/.test(target)) return Promise.resolve(elsewhere(target))
  throw new Error(`--servers ${target}: give siltstone, chroma or a base URL`)
}

async function deleteIfThere(server: Server): Promise<void> {
  try {
    await server.client.deleteCollection(COLLECTION)
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 404) throw error
  }
}

/** With the data in it: loaded once per target and size, and kept. Reads only, please. */
export async function loadedServer(
  target: string,
  data: Dataset,
  report: Report,
): Promise<{ server: Server; id: string }> {
  const directory = join(SCRATCH, 'stores', `${data.name.replace(/\W+/g, '-')}-${target.replace(/\W+/g, '-')}`)
  const done = `${directory}.loaded`
  if (!existsSync(done)) rmSync(directory, { recursive: true, force: true })
  const server = await onDirectory(target, directory)
  const id = await server.client.createCollection(COLLECTION)
  if ((await server.client.count(id)) === data.count) return { server, id }
  report.note(`${server.name}: loading ${data.name}`)
  for (const rows of batches(data, 1_000)) await patiently(() => server.client.write('upsert', id, writeBody(rows)))
  await untilIdle(server, id)
  if (server.directory !== undefined) writeFileSync(done, '')
  return { server, id }
}

/** Waits where the server says so. */
export async function patiently<T>(send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 429) throw error
      await sleep(100)
    }
  }
}
