/** The reading half, bundled for browsers and run where Node's globals and modules do not exist. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { RecordOp } from '../model/record.ts'
import { collectionRequest } from '../testing/operations.ts'
import * as onNode from './testing/portable-reader.ts'

type Reader = typeof onNode

const DIMENSION = 12
const ROWS = 1_500

const vectorOf = (n: number) => Array.from({ length: DIMENSION }, (_, d) => Math.sin(n * (d + 1)))

function record(n: number): RecordOp {
  const metadata = JSON.stringify({ tenth: n % 10, name: `größe ${n % 7}` })
  const document = `passage ${n} of the story about ${['sea', 'sky', 'snow'][n % 3]} and 雪 🏔`
  return { op: 'upsert', id: `id-${n}`, vector: Float32Array.from(vectorOf(n)), document, metadata, uri: null }
}

/** Globals that browsers, workers and edge runtimes have beside JavaScript's own. */
const WEB_GLOBALS = {
  AbortController,
  AbortSignal,
  atob,
  btoa,
  clearTimeout,
  console,
  crypto,
  fetch,
  MessageChannel,
  performance,
  queueMicrotask,
  setTimeout,
  structuredClone,
  TextDecoder,
  TextEncoder,
  URL,
}

async function bundle(): Promise<{ code: string; inputs: string[] }> {
  const built = await build({
    entryPoints: [fileURLToPath(new URL('testing/portable-reader.ts', import.meta.url))],
    bundle: true,
    platform: 'browser',
    target: 'es2024',
    format: 'iife',
    globalName: 'reader',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return { code: built.outputFiles[0]?.text ?? '', inputs: Object.keys(built.metafile.inputs) }
}

describe('the reading half in a browser', () => {
  const env = memoryEnvironment()
  let info: CollectionInfo
  let inputs: string[]
  let globals: string[]
  let reader: Reader

  beforeAll(async () => {
    const engine = await StoreEngine.open({ env })
    ;({ info } = await engine.catalog.createCollection(collectionRequest('things')))
    const collection = await engine.collection(info.tenant, info.database, info.id)
    // Two segments with indexes and deleted rows, and a log above them.
    for (const first of [0, ROWS]) {
      await collection.write(Array.from({ length: ROWS }, (_, i) => record(first + i)))
      await engine.compactor.compact(pathOf(info))
    }
    await collection.delete({ ids: Array.from({ length: 300 }, (_, i) => `id-${i * 9}`) })
    await engine.compactor.compact(pathOf(info))
    await collection.write([record(2 * ROWS), { ...record(40), document: 'changed by the log' }])
    await engine.close()

    const bundled = await bundle()
    ;({ inputs } = bundled)
    const context = createContext({ ...WEB_GLOBALS })
    globals = runInContext('Object.getOwnPropertyNames(globalThis)', context) as string[]
    runInContext(bundled.code, context)
    reader = runInContext('reader', context) as Reader
  })

  it('is bundled with the portable codec, without modules of Node, the engine or writers of snapshots', () => {
    const named = (part: string) => inputs.filter((path) => path.includes(part))
    expect(named('codec/portable.ts')).toHaveLength(1)
    for (const part of ['codec/node.ts', '/engine/', '/compact/', '/drivers/', '/host/', 'node:'])
      expect(named(part)).toEqual([])
  })

  it('runs without the globals of Node', () => {
    expect(globals).toContain('TextDecoder')
    for (const name of ['process', 'Buffer', 'require', 'global', 'setImmediate']) expect(globals).not.toContain(name)
  })

  it.each([
    ['nearest', {}],
    ['with a filter on metadata', { where: { tenth: { $in: [3, 4] } } }],
    ['with a filter on text', { where: { name: 'größe 3' }, whereDocument: { $contains: 'snow' } }],
    ['with a regular expression', { whereDocument: { $regex: 'passage 1[0-9]+ .*sea' } }],
    ['that the log changed', { whereDocument: { $contains: 'changed by' } }],
  ])('answers queries as Node does: %s', async (_, filter) => {
    const [there, here] = [reader, onNode].map((it) => it.openCollection(env, pathOf(info), info.space))
    for (const n of [40, 1_700, 2 * ROWS]) {
      const query = JSON.stringify({ vector: vectorOf(n), ...filter })
      const answer = await there?.query(query)
      expect(plain(answer)).toEqual(plain(await here?.query(query)))
      expect(answer?.hits[0]?.ids.length).toBeGreaterThan(0)
    }
  })

  it('embeds texts as Node does', async () => {
    const folder = new URL('../../../embedder-english/', import.meta.url)
    const names = ['vocab.txt', 'vectors.i8', 'scales.f32']
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder))]))
    const texts = ['How do I retry a request?', 'Straße und Größe', '雪 and snow', '']
    expect(plain(await reader.embed(files, texts))).toEqual(await onNode.embed(files, texts))
  })
})

/** Without the prototypes of another realm. */
function plain(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer))
}
