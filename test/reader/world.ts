/** What the hosts serve: a store with the records of the checks, and the page that reads it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { records } from '@siltstone/reader/testing'
import { build } from 'esbuild'
import { openStore } from 'siltstone'
import type { ReadFile } from './static-host.ts'

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
  await store.close()
  const files = new Map<string, Uint8Array>([['index.html', new TextEncoder().encode(PAGE)], ...(await pageModules())])
  return {
    read: async (path) => {
      const known = files.get(path)
      if (known) return known
      const inside = normalize(path)
      if (!inside.startsWith('store/')) return undefined
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
