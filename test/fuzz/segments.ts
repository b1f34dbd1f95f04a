/** Targets: segments with and without an inverted file, overlays, bitmaps; bytes and descriptors. */
import {
  documentSource,
  corrupt,
  crc32,
  crcHex,
  dimensionKey,
  encodeRowSet,
  filterIndexOf,
  IvfBuilder,
  ivfOf,
  keyOfTerm,
  listBoundaries,
  LISTS,
  loadDeletions,
  OverlayReader,
  parseOverlayDescriptor,
  parseSegmentDescriptor,
  parseWhere,
  parseWhereDocument,
  type ReadRange,
  type SectionDescriptor,
  type SegmentDescriptor,
  SegmentReader,
  type SegmentRow,
  SegmentWriter,
  verifyFilterIndex,
  verifyIvf,
  verifySegment,
  verifyWordIndexes,
  WordDictionary,
  WordIndex,
  WordIndexBuilder,
  parseForFilter,
} from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { someSegment } from './damaged-bucket.ts'
import { goldenFile, goldenJson } from './golden.ts'
import type { Target } from './target.ts'

/** One column for each index. */
const FILTERS = [
  parseWhere({ n: 7 }),
  parseWhere({ n: { $gte: 1_000 } }),
  parseWhere({ $and: [{ color: { $in: ['red', 'blue'] } }, { list: { $contains: 3 } }] }),
  parseWhereDocument({ $contains: 'ument 77' }),
  parseWhereDocument({ $regex: 'new|ment 1.*' }),
]

/** Some that the segments have, and one that they do not have. */
const TERMS = [...['document', '77', 'red', 'absent'].map(keyOfTerm), ...[3, 12, 2_000_000].map(dimensionKey)]

type Json = { [key: string]: unknown }
interface Sections {
  sections: SectionDescriptor[]
}

const readOf =
  (data: Uint8Array): ReadRange =>
  async (_, offset, length) =>
    data.slice(offset, offset + length)

/** The whole content of a segment. */
async function readSegment(json: unknown, data: Uint8Array): Promise<unknown> {
  const descriptor = parseSegmentDescriptor(json)
  // A descriptor may claim any number of rows; the bytes must exist before memory is allocated for them.
  const reader = new SegmentReader(descriptor, readOf(data))
  const some = Array.from({ length: Math.min(500, reader.rows) }, (_, row) => row)
  const ids = await reader.ids(some)
  const answer: unknown[] = [
    ids,
    await reader.vectors(some),
    await reader.column('documents', some),
    await reader.column('metadata', some),
    await reader.column('uris', some),
    await reader.rowRange(0, reader.rows),
    await reader.lookup([...ids.slice(0, 50), 'nobody']),
  ]
  const ivf = await ivfOf(reader)
  if (ivf) {
    const { directory, lists } = ivf
    const clusters = Array.from({ length: directory.clusters }, (_, cluster) => cluster)
    await lists.read(clusters, (cluster, list) => answer.push([cluster, list]))
    answer.push([directory.centroids, directory.scales])
  }
  const indexes = await filterIndexOf(reader, { document: true })
  for (const filter of indexes ? FILTERS : []) answer.push(await indexes?.bounds(filter))
  for (const index of WordIndex.all(reader))
    answer.push(await index.lists(TERMS), index.isOfTexts ? await index.lengths() : await index.weights())
  answer.push(await WordDictionary.of(reader, '#document')?.startingWith(''))
  return answer
}

/** Reads as compaction and `verify` do: damage may be found only here, but the answer must never differ. */
async function verified(json: unknown, data: Uint8Array): Promise<unknown> {
  const answer = await readSegment(json, data)
  const reader = new SegmentReader(parseSegmentDescriptor(json), readOf(data))
  await verifySegment(reader)
  await verifyIvf(reader)
  await verifyFilterIndex(reader)
  await verifyWordIndexes(reader)
  return answer
}

/** Corrects all checksums, as far as the descriptor still fits the bytes. */
function reseal(
  original: Json & Sections,
  data: Uint8Array,
  lists: readonly number[] = [],
  words: ReadonlyMap<string, readonly number[]> = new Map(),
): Json {
  const descriptor = structuredClone(original)
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const put = (at: number, from: number, end: number) => {
    if (end <= data.length && at + 4 <= data.length) view.setUint32(at, crc32(data.subarray(from, end)), true)
  }
  for (const section of descriptor.sections) {
    const { offset, length, params } = section
    const pageBytes = params['pageBytes']
    const end = section.directory?.offset ?? offset + length
    if (section.type === 'postings') {
      resealWords(section, put, words.get(section.name) ?? [])
      continue
    }
    if (typeof pageBytes === 'number')
      for (let at = offset; at + pageBytes <= end; at += pageBytes) put(at + pageBytes - 4, at, at + pageBytes - 4)
    if (section.type === 'blob-blocks' && section.directory) {
      let at = offset
      const { offset: from, length: bytes } = section.directory
      for (let entry = from; entry + 16 <= Math.min(data.length, from + bytes); entry += 16) {
        const stored = view.getUint32(entry + 4, true)
        put(at, at + 4, at + stored)
        at += stored
      }
    }
    if (section.type === 'front-coded-words' && section.directory) {
      let at = offset
      const { offset: from } = section.directory
      for (let entry = from; entry + 8 <= data.length && entry < from + 8 * Number(params['blocks']); entry += 8) {
        const stored = view.getUint32(entry, true)
        put(at, at + 4, at + stored)
        at += stored
      }
    }
    const { directory } = section
    if (directory) directory.crc32 = crcHex(data.subarray(directory.offset, directory.offset + directory.length))
  }
  lists.slice(0, -1).forEach((at, i) => put(at, at + 4, lists[i + 1] as number))
  for (const section of descriptor.sections) {
    const { offset, length } = section
    if (section.crc32 !== undefined) section.crc32 = crcHex(data.subarray(offset, offset + length))
  }
  const whole = { sizeBytes: data.length, crc32: crcHex(data) }
  if (Array.isArray(descriptor['files']))
    descriptor['files'] = descriptor['files'].map((file: Json) => ({ ...file, ...whole }))
  else Object.assign(descriptor, whole)
  return descriptor
}

/** Lists, pages and the tail of a word index begin with the checksum of the rest. */
function resealWords(
  { offset, length, params }: SectionDescriptor,
  put: (at: number, from: number, end: number) => void,
  lists: readonly number[],
): void {
  const [pageBytes, pages, tail] = [
    Number(params['pageBytes']),
    Number(params['pagesOffset']),
    Number(params['tailOffset']),
  ]
  lists.slice(0, -1).forEach((at, i) => put(offset + at, offset + at + 4, offset + (lists[i + 1] as number)))
  for (let at = pages; at + pageBytes <= tail; at += pageBytes)
    put(offset + at, offset + at + 4, offset + at + pageBytes)
  if (length > tail) put(offset + tail, offset + tail + 4, offset + length)
}

async function segmentTargets(name: string, descriptor: SegmentDescriptor, data: Uint8Array): Promise<Target[]> {
  const given = descriptor as unknown as Json & Sections
  const ivf = await ivfOf(new SegmentReader(descriptor, readOf(data)))
  const start = descriptor.sections.find((section) => section.name === LISTS.name)?.offset ?? 0
  const lists = Array.from(ivf?.directory.offsets ?? [], (offset) => start + offset)
  const words = new Map<string, number[]>()
  for (const index of WordIndex.all(new SegmentReader(descriptor, readOf(data))))
    words.set(index.name, await listBoundaries(index))
  return [
    {
      name: `${name}, bytes`,
      seeds: [data],
      kinds: ['corrupt', 'unsupported'],
      guarded: true,
      canReseal: true,
      slow: true,
      parse: (bytes, resealed) =>
        resealed ? verified(reseal(given, bytes, lists, words), bytes) : readSegment(given, bytes),
    },
    {
      name: `${name}, descriptor`,
      seeds: [new Uint8Array(Buffer.from(JSON.stringify(descriptor)))],
      kinds: ['corrupt', 'unsupported'],
      guarded: false,
      json: true,
      slow: true,
      allowedBytes: (bytes) => 4e6 + 300 * (bytes.length + data.length),
      parse: (bytes) => verified(jsonOf(bytes), data),
    },
  ]
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw corrupt('json', 'no JSON', { cause })
  }
}

async function readOverlay(json: unknown, data: Uint8Array): Promise<unknown> {
  const reader = new OverlayReader(parseOverlayDescriptor(json), readOf(data))
  const rows = Array.from({ length: 400 }, (_, row) => row)
  return [
    await reader.versionsOf(rows),
    await reader.column('metadata', rows),
    await reader.column('documents', rows),
    await reader.column('uris', rows),
  ]
}

async function verifiedOverlay(json: unknown, data: Uint8Array): Promise<unknown> {
  const answer = await readOverlay(json, data)
  await new OverlayReader(parseOverlayDescriptor(json), readOf(data)).verify()
  return answer
}

/** 300 rows of 8 dimensions, clustered as by compaction. */
async function clusteredSegment(): Promise<{ descriptor: SegmentDescriptor; data: Uint8Array }> {
  const dimension = 8
  const rows = Array.from({ length: 300 }, (_, i): SegmentRow => {
    const vector = Float32Array.from({ length: dimension }, (_, d) => Math.sin(i * 7.3 + d) + (i % 5 === d ? 3 : 0))
    return { id: `r${i}`, ordinal: i, version: 1, vector, document: null, metadata: `{"n":${i}}`, uri: null }
  })
  const vectors = rows.map(({ vector }) => vector)
  const builder = new IvfBuilder(rows.length, dimension, 'l2')
  builder.sample(vectors)
  await builder.train()
  const clusters = await builder.add(vectors)
  const chunks: Uint8Array[] = []
  const open = async () => ({ write: async (chunk: Uint8Array) => void chunks.push(chunk.slice()) })
  const writer = new SegmentWriter({
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    dimension,
    order: 'cluster',
    singleFile: true,
    fileKey: () => 'data',
    open,
  })
  const order = rows.map((_, i) => i).sort((a, b) => (clusters[a] as number) - (clusters[b] as number) || a - b)
  const places = new Uint32Array(rows.length)
  for (const arrival of order) {
    places[arrival] = writer.rows
    await writer.append(rows[arrival] as SegmentRow)
  }
  await builder.sections(writer, places)
  const descriptor = JSON.parse(JSON.stringify(await writer.finish())) as SegmentDescriptor
  return { descriptor, data: new Uint8Array(Buffer.concat(chunks)) }
}

/** 200 rows with words, and with sparse vectors whose weights are few and many. */
async function wordSegment(): Promise<{ descriptor: SegmentDescriptor; data: Uint8Array }> {
  const chunks: Uint8Array[] = []
  const open = async () => ({ write: async (chunk: Uint8Array) => void chunks.push(chunk.slice()) })
  const writer = new SegmentWriter({
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    dimension: 1,
    singleFile: true,
    fileKey: () => 'data',
    open,
  })
  const builder = new WordIndexBuilder({ texts: [documentSource], sparseKeys: ['few', 'none'] })
  for (let i = 0; i < 200; i++) {
    const few = { '#type': 'sparse_vector', indices: [i % 7, 10 + (i % 5), 100 + i], values: [1, 2, (i % 3) - 1] }
    const metadata = JSON.stringify({ few })
    const document = i % 9 === 8 ? null : `document ${i} is ${i % 2 === 0 ? 'red' : 'blue blue'}`
    await builder.add(i, parseForFilter(metadata), document)
    await writer.append({
      id: `r${i}`,
      ordinal: i,
      version: 1,
      vector: Float32Array.of(i),
      document,
      metadata,
      uri: null,
    })
  }
  await builder.sections(writer)
  const descriptor = JSON.parse(JSON.stringify(await writer.finish())) as SegmentDescriptor
  return { descriptor, data: new Uint8Array(Buffer.concat(chunks)) }
}

export async function segmentTargetList(): Promise<Target[]> {
  const overlay = goldenJson('v1/overlay/descriptor.json') as Json & Sections
  const overlayData = goldenFile('v1/overlay/data')
  const clustered = await clusteredSegment()
  const indexed = await someSegment()
  const worded = await wordSegment()
  const { store } = memoryEnvironment({ seed: 1 })
  return [
    ...(await segmentTargets(
      'segment',
      goldenJson('v1/segment-one-file/descriptor.json') as SegmentDescriptor,
      goldenFile('v1/segment-one-file/data'),
    )),
    ...(await segmentTargets('clustered segment', clustered.descriptor, clustered.data)),
    ...(await segmentTargets('indexed segment', indexed.descriptor, indexed.data)),
    ...(await segmentTargets('segment with words', worded.descriptor, worded.data)),
    {
      name: 'overlay, bytes',
      seeds: [overlayData],
      kinds: ['corrupt', 'unsupported'],
      guarded: true,
      canReseal: true,
      parse: (bytes, resealed) =>
        resealed ? verifiedOverlay(reseal(overlay, bytes), bytes) : readOverlay(overlay, bytes),
    },
    {
      name: 'overlay, descriptor',
      seeds: [new Uint8Array(Buffer.from(JSON.stringify(overlay)))],
      kinds: ['corrupt', 'unsupported'],
      guarded: false,
      json: true,
      allowedBytes: (bytes) => 4e6 + 300 * (bytes.length + overlayData.length),
      parse: (bytes) => verifiedOverlay(jsonOf(bytes), overlayData),
    },
    {
      name: 'bitmap',
      seeds: [encodeRowSet([1, 2, 3, 500, 70_000]), encodeRowSet(Array.from({ length: 5_000 }, (_, i) => i * 3))],
      kinds: ['corrupt'],
      guarded: false,
      parse: async (bytes) => {
        const inline = Buffer.from(bytes).toString('base64')
        return (await loadDeletions(store, { count: 5, inline }, 100_000))?.toArray()
      },
    },
  ]
}
