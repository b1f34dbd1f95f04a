/** Targets: log entries, deltas, pointers, manifests, catalog objects, embeddings, tokens, keys, JSON. */
import { gzipSync } from 'node:zlib'
import {
  type CatalogDocument,
  collectionNameKey,
  collectionType,
  corrupt,
  crcHex,
  databaseKey,
  databaseType,
  decodeDelta,
  decodeDocument,
  decodeEntry,
  decodeList,
  decodeLz4Frame,
  decodeManifest,
  decodePointer,
  decodeStoredEmbedding,
  type DocumentType,
  encodeDocument,
  encodeManifest,
  FormatProblem,
  inboxKey,
  invalid,
  isSiltstoneError,
  LIST_FIELDS,
  logEntryKey,
  manifestKey,
  nameClaimType,
  objectsOf,
  parseExact,
  parseKey,
  pointerKey,
  resourceClaimType,
  resourceKey,
  seal,
  sealIsIntact,
  tenantKey,
  tenantType,
  UNSEALED,
} from 'siltstone/internal'
import { goldenDeltas, goldenFile } from './golden.ts'
import { manifestSeed, someCollection, somePath, somePin, someUlid } from './samples.ts'
import type { Target } from './target.ts'

const deltas = goldenDeltas()
const sealedDeltas = [goldenFile('v1/delta.arrow'), ...deltas].filter(sealIsIntact)
const entries = ['entry', 'entry-closed', 'entry-reset', 'entry-void'].map((name) => goldenFile(`v1/${name}.arrow`))

/** Corrects the checksum of an Arrow file, if it still has both places for it. */
function resealArrow(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = text.indexOf('crc32:')
  const last = text.lastIndexOf('crc32:')
  if (first < 0 || last - first < UNSEALED.length || last + UNSEALED.length > text.length) return bytes
  text.write(UNSEALED, first, 'latin1')
  text.write(UNSEALED, last, 'latin1')
  seal(bytes)
  return bytes
}

const deltaKey = inboxKey(somePath, someUlid)
const entryKey = logEntryKey(somePath, 42)
const someManifestKey = manifestKey(somePath, 42, someUlid)
/** The limit of the unpacked buffers and values of a delta, independent of its size: see docs/reference/format.md. */
const UNPACKED_BYTES = 256 << 20

function documentTarget<T extends CatalogDocument>(type: DocumentType<T>, document: NoInfer<T>, key: string): Target {
  return {
    name: type.format,
    seeds: [encodeDocument(type, document)],
    kinds: ['corrupt', 'unsupported'],
    guarded: true,
    parse: (bytes) => decodeDocument(type, bytes, key),
  }
}

/** The content without its checksum frame, which is added after the content was changed. */
function bodyTarget<T extends CatalogDocument>(type: DocumentType<T>, document: NoInfer<T>, key: string): Target {
  return {
    name: `${type.format}, body`,
    seeds: [text(document)],
    kinds: ['corrupt', 'unsupported'],
    guarded: false,
    json: true,
    parse(bytes) {
      const framed = frame('body', bytes)
      try {
        return decodeDocument(type, framed, key)
      } catch (error) {
        // An even length stands for a live one.
        if (!isSiltstoneError(error, 'corrupt')) throw error
        return decodeDocument(type, Buffer.concat([framed, Buffer.from(' ')]), key)
      }
    },
  }
}

function catalogTargets<T extends CatalogDocument>(type: DocumentType<T>, document: NoInfer<T>, key: string): Target[] {
  return [documentTarget(type, document, key), bodyTarget(type, document, key)]
}

export function frame(name: 'body' | 'manifest', body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`{"crc32":"${crcHex(body)}","${name}":`), body, Buffer.from('}')])
}

/** Frames of liblz4, with their unpacked length. */
const FRAMES: readonly [number, string][] = [
  [1, 'BCJNGGBAggEAAIB4AAAAAA=='],
  [88, 'BCJNGGBAggsAAAAfYQEAP1BhYWFhYQAAAAA='],
  [154, 'BCJNGGBAgi0AAAD/AXNpbHQgYW5kIHN0b25lLCAQAAfvYW5kOyDDqeKCrPCfmIAKADlQ8J+YgCAAAAAA'],
]
const writes = [someUlid]
const place = { tenant: 'default_tenant', database: 'default_database' }
const text = (json: unknown) => new Uint8Array(Buffer.from(JSON.stringify(json)))

export const formatTargets: readonly Target[] = [
  {
    name: 'delta',
    seeds: deltas,
    kinds: ['invalid', 'unsupported'],
    guarded: false,
    parse: (bytes) => decodeDelta(bytes, deltaKey),
    allowedBytes: () => UNPACKED_BYTES,
  },
  {
    name: 'sealed delta',
    seeds: sealedDeltas,
    kinds: ['invalid', 'unsupported'],
    guarded: true,
    canReseal: true,
    parse: (bytes, resealed) => decodeDelta(resealed ? resealArrow(bytes) : bytes, deltaKey),
  },
  {
    name: 'entry',
    seeds: entries,
    kinds: ['corrupt', 'unsupported'],
    guarded: true,
    canReseal: true,
    parse: (bytes, resealed) => decodeEntry(resealed ? resealArrow(bytes) : bytes, entryKey),
  },
  {
    name: 'lz4',
    seeds: FRAMES.map(([rawLength, frame]) => withLength(rawLength, new Uint8Array(Buffer.from(frame, 'base64')))),
    kinds: ['invalid'],
    guarded: false,
    parse: (bytes) => {
      if (bytes.length < 4) return undefined
      const rawLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
      try {
        return decodeLz4Frame(bytes.subarray(4), rawLength)
      } catch (cause) {
        if (cause instanceof FormatProblem || cause instanceof RangeError)
          throw invalid('lz4', cause.message, { cause })
        throw cause
      }
    },
  },
  {
    name: 'pointer',
    seeds: [goldenFile('v1/pointer.txt')],
    kinds: ['corrupt'],
    guarded: true,
    canReseal: true,
    parse: (bytes, resealed) => decodePointer(resealed ? resealPointer(bytes) : bytes, pointerKey(somePath)),
  },
  {
    name: 'manifest',
    seeds: [goldenFile('v1/manifest.json'), encodeManifest(manifestSeed)],
    kinds: ['corrupt', 'unsupported'],
    guarded: true,
    parse: (bytes) => readManifest(bytes),
  },
  {
    name: 'manifest, body',
    seeds: [
      text({ format: 'siltstone.manifest', version: 1, ...manifestSeed }),
      text({ format: 'siltstone.manifest', version: 1, ...manifestSeed, pins: [somePin] }),
    ],
    kinds: ['corrupt', 'unsupported'],
    guarded: false,
    json: true,
    parse: (bytes) => readManifest(frame('manifest', bytes)),
  },
  ...LIST_FIELDS.map(
    (field): Target => ({
      name: `list of ${field}`,
      seeds: [text(field === 'pins' ? [somePin, somePin] : manifestSeed[field])],
      kinds: ['corrupt'],
      guarded: false,
      json: true,
      parse: (bytes) => decodeList(field, frame('manifest', bytes), 'snapshot/x/list/y.json'),
    }),
  ),
  ...catalogTargets(collectionType, { ...someCollection, writes }, 'catalog/x'),
  ...catalogTargets(
    nameClaimType,
    { format: 'siltstone.name', version: 1, writes, ...place, name: 'things', collectionId: someCollection.id },
    collectionNameKey({ ...place, name: 'things' }),
  ),
  ...catalogTargets(
    resourceClaimType,
    { format: 'siltstone.resource', version: 1, writes, resourceName: 'acme', tenant: 'default_tenant' },
    resourceKey('acme'),
  ),
  ...catalogTargets(
    databaseType,
    {
      format: 'siltstone.database',
      version: 1,
      writes,
      id: someCollection.id,
      tenant: 'default_tenant',
      name: 'default_database',
      state: 'live',
      incarnation: someUlid,
    },
    databaseKey({ tenant: 'default_tenant', database: 'default_database' }),
  ),
  ...catalogTargets(
    tenantType,
    { format: 'siltstone.tenant', version: 1, writes, name: 'acme', state: 'live', resourceName: null, setting: null },
    tenantKey('acme'),
  ),
  {
    name: 'stored embedding',
    seeds: [
      text({ id: 'a', embedding: [1, -0.5, 3e-7], model: 'm', dimension: 3, text_sha256: '00' }),
      new Uint8Array(gzipSync(text({ id: 'a', embedding: [1, 2] }))),
      // A bomb: 40 MB of zeros in 40 KB.
      new Uint8Array(gzipSync(Buffer.alloc(40e6, '0'))),
    ],
    kinds: ['corrupt'],
    guarded: false,
    slow: true,
    allowedBytes: () => 20e6,
    parse: async (bytes) => {
      try {
        return await decodeStoredEmbedding(bytes, 'embeddings/a.json.gz', 'a')
      } catch (error) {
        if (isSiltstoneError(error, 'corrupt')) return 'corrupt'
        throw error
      }
    },
  },
  {
    name: 'keys',
    seeds: [deltaKey, entryKey, someManifestKey, pointerKey(somePath), 'embeddings/a.json.gz'].map(
      (key) => new Uint8Array(Buffer.from(key)),
    ),
    kinds: [],
    guarded: false,
    parse: (bytes) => {
      const key = Buffer.from(bytes).toString('utf8')
      const parsed = parseKey(key)
      if (parsed !== undefined && /(?:^|\/)\.{0,2}(?:\/|$)|[\\\0]/.test(key))
        throw corrupt('key', `${key} was accepted`)
      return parsed
    },
  },
  {
    name: 'exact JSON',
    seeds: [text({ a: [1, 1.5, true, null], big: 'x', '#type': { b: 'é€😀' } }), text([[[[{ a: -1e3 }]]]])],
    kinds: ['invalid'],
    guarded: false,
    json: true,
    parse: (bytes) => {
      const source = Buffer.from(bytes).toString('utf8')
      let fast: unknown
      let refusedByFast = false
      try {
        fast = JSON.parse(source)
      } catch {
        refusedByFast = true
      }
      let exact: unknown
      try {
        exact = parseExact(source)
      } catch (cause) {
        if (cause instanceof SyntaxError) throw invalid('json', cause.message, { cause })
        throw cause
      }
      if (refusedByFast) throw corrupt('json', `accepted what JSON.parse refuses: ${source}`)
      return [exact instanceof Map, typeof fast]
    },
  },
]

function readManifest(bytes: Uint8Array): unknown {
  const manifest = decodeManifest(bytes, someManifestKey)
  // As each reader does.
  const objects = objectsOf(manifest).map(({ key, sizeBytes }) => [key.length, sizeBytes])
  const inline = manifest.segments.map(({ deletions }) => Buffer.from(deletions?.inline ?? '', 'base64').length)
  const lists = LIST_FIELDS.map((field) => {
    const list = manifest[field]
    return Array.isArray(list) ? list.length : list.object.key.length
  })
  const entries = Array.isArray(manifest.folded) ? manifest.folded.map(({ first, ids }) => first + ids.length) : []
  const pins = Array.isArray(manifest.pins) ? manifest.pins.map(({ manifestKey: key }) => key.length) : []
  return [manifest, objects, inline, lists, entries, pins]
}

function withLength(rawLength: number, frame: Uint8Array): Uint8Array {
  const out = new Uint8Array(frame.length + 4)
  new DataView(out.buffer).setUint32(0, rawLength, true)
  out.set(frame, 4)
  return out
}

function resealPointer(bytes: Uint8Array): Uint8Array {
  const line = Buffer.from(bytes).toString('utf8').split('\n')[0] ?? ''
  return Buffer.from(`${line}\ncrc32:${crcHex(Buffer.from(line))}\n`)
}
