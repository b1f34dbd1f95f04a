/** What the hosts serve: a store with the records of the checks, the same published, texts published, and a page. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { records } from '@siltstone/reader/testing'
import { build } from 'esbuild'
import { openStore } from 'siltstone'
import type { ReadFile } from './static-host.ts'

const MAIN = fileURLToPath(new URL('../../packages/siltstone/src/cli/main.ts', import.meta.url))

/** None shares a word with the question that it answers in `main.ts`. */
const NOTES = {
  silt: 'Sediment settles where the water slows down.',
  bread: 'Beat two eggs with sugar and flour.',
  invoice: 'The bill AB-1234 is due in thirty days.',
}

export interface World {
  read: ReadFile
  close(): Promise<void>
}

const PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Reader</title><link rel="icon" href="data:,">'

export async function makeWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-reader-'))
  const store = await openStore(join(directory, 'store'), { compaction: 'off' })
  const things = await store.createCollection({ name: 'things', embeddingFunction: null })
  const all = records()
  await things.add({
    ids: all.map(({ id }) => id),
    embeddings: all.map(({ embedding }) => embedding),
    documents: all.map(({ document }) => document),
    metadatas: all.map(({ metadata }) => metadata),
    uris: all.map(({ uri }) => uri),
  })
  await things.compact()
  const notes = await store.createCollection({ name: 'notes' })
  await notes.add({ ids: Object.keys(NOTES), documents: Object.values(NOTES) })
  await store.close()
  for (const [name, folder] of [
    ['things', 'pages'],
    ['notes', 'texts'],
  ] as const)
    execFileSync(process.execPath, [
      MAIN,
      'publish',
      name,
      '--data',
      join(directory, 'store'),
      '--out',
      join(directory, folder),
    ])
  const files = new Map<string, Uint8Array>([['index.html', new TextEncoder().encode(PAGE)], ...(await pageModules())])
  return {
    read: async (path) => {
      const known = files.get(path)
      if (known) return known
      const inside = normalize(path)
      if (!/^(store|pages|texts)\//.test(inside)) return undefined
      return readFile(join(directory, inside)).catch(() => undefined)
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

async function pageModules(): Promise<[string, Uint8Array][]> {
  const { outputFiles } = await build({
    entryPoints: { page: fileURLToPath(new URL('page.ts', import.meta.url)) },
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    outdir: '/',
    write: false,
  })
  return outputFiles.map(({ path, contents }) => [path.slice(1), contents])
}
