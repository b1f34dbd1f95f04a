/** Targets: a published folder, and the vocabulary of its embedder. */
import { open } from '@siltstone/reader'
import { collectionRequest, fileHost, memoryEnvironment, MemoryTarget } from 'siltstone/testing'
import {
  compareKeys,
  crcHex,
  publish,
  PublishedVocabulary,
  type RecordOp,
  SectionSource,
  StoreEngine,
  systemModels,
  vocabularySection,
} from 'siltstone/internal'
import { frame } from './formats.ts'
import type { Target } from './target.ts'

const ROWS = 300
const URL = 'http://127.0.0.1/search'
const vectorOf = (n: number) => Float32Array.from({ length: 16 }, (_, d) => Math.sin(n * (d + 1)))
const recordOf = (n: number, document: string): RecordOp => ({
  op: 'upsert',
  id: `row-${n}`,
  vector: vectorOf(n),
  document,
  metadata: JSON.stringify({ n, odd: n % 2 === 1 }),
  uri: null,
})

type Files = ReadonlyMap<string, Uint8Array>

/** With an index, two segments, and rows that are not valid any more. */
async function folder(): Promise<Files> {
  const engine = await StoreEngine.open({ env: memoryEnvironment({ seed: 1 }) })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const target = new MemoryTarget()
  const publishNow = () =>
    publish({ collection, staging: memoryEnvironment({ seed: 1 }), target, models: systemModels, keepMs: 0 })
  await collection.write(Array.from({ length: ROWS }, (_, n) => recordOf(n, `märble number ${n} 雪`)))
  await publishNow()
  await collection.write([recordOf(42, 'märble 42, changed'), recordOf(ROWS, 'märble 300 was added')])
  await publishNow()
  await engine.close()
  return target.files
}

/** By vectors, by words and with a filter, and all records. */
async function answersOf(files: Files): Promise<unknown> {
  const { fetch } = fileHost(async (path) => {
    const body = files.get(path.slice('search/'.length))
    return body ? { body } : null
  })
  const things = await open(URL, { fetch })
  const near = await things.query({
    queryEmbeddings: [[...vectorOf(7)]],
    nResults: 4,
    where: { odd: true },
  })
  const words = await things.search({ rank: { $knn: { query: 'märble 42', key: '#document', limit: 3 } }, limit: 3 })
  const all = await things.get({ include: ['documents', 'metadatas', 'uris'] })
  return [near.ids, near.distances, words.ids, all.rows()]
}

/** Few tokens, most of which are beginnings of others. */
const TOKENS = ['[UNK]', 'silt', 's', 'river', 'rivers', 'snow', '##s', '##low', '##ed', '!', '雪'].sort(compareKeys)

function vocabularyTarget(): Target {
  const { bytes, directory, params } = vocabularySection(TOKENS)
  const chunkEnd = directory.offset
  return {
    name: 'vocabulary of a published embedder',
    seeds: [bytes],
    kinds: ['corrupt'],
    guarded: true,
    canReseal: true,
    async parse(given, resealed) {
      if (resealed && given.length > chunkEnd)
        new DataView(given.buffer).setUint32(0, Number.parseInt(crcHex(given.subarray(4, chunkEnd)), 16), true)
      const read = async (_: string, offset: number, length: number) => given.slice(offset, offset + length)
      const stored = given.subarray(chunkEnd, chunkEnd + directory.length)
      const section = {
        name: 'vocabulary',
        type: 'token-chunks',
        version: 3,
        file: 0,
        offset: 0,
        length: bytes.length,
        directory: resealed ? { ...directory, crc32: crcHex(stored) } : directory,
        params: { ...params, unknown: 0 },
      }
      const source = new SectionSource('v', [{ key: 'v', sizeBytes: given.length, crc32: '' }], read, { gapBytes: 0 })
      return new PublishedVocabulary(source, section).encode(['Rivers slowed, silts: 雪!', 'snows'])
    },
  }
}

export async function publishedTargets(): Promise<Target[]> {
  const files = await folder()
  const parts = [...files].filter(([name]) => name.endsWith('.bin')).sort(([a], [b]) => compareKeys(a, b))
  const description = Buffer.from(files.get('search.json') ?? '')
  const body = description.subarray(description.indexOf('{', 1), -1)
  const total = parts.reduce((sum, [, { length }]) => sum + length, 0)
  return [
    vocabularyTarget(),
    {
      name: 'published folder, parts',
      seeds: [new Uint8Array(Buffer.concat(parts.map(([, bytes]) => bytes)))],
      kinds: ['corrupt', 'unsupported'],
      guarded: true,
      slow: true,
      parse(bytes) {
        const given = new Map(files)
        let at = 0
        for (const [i, [name, { length }]] of parts.entries()) {
          const end = i + 1 === parts.length ? bytes.length : at + length
          given.set(name, bytes.subarray(at, end))
          at = end
        }
        return answersOf(given)
      },
    },
    {
      name: 'published folder, search.json',
      seeds: [new Uint8Array(body)],
      // What is asked may not fit what is said to be there.
      kinds: ['corrupt', 'unsupported', 'invalid'],
      guarded: false,
      json: true,
      slow: true,
      allowedBytes: (bytes) => 4e6 + 300 * (bytes.length + total),
      parse: (bytes) => answersOf(new Map(files).set('search.json', frame('manifest', bytes))),
    },
  ]
}
