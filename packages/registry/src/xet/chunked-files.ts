/**
 * Files that clients sent by Xet: `registry/chunked-files/<sha256>.json` says of which chunks of which xorbs (`xorbs.ts`) a file consists. So
 * a version of a large file costs what is new in it. `store/blobs.ts` reads them as it reads other contents.
 *
 * A chunked file is written after its contents were put together and had its SHA-256. It is replaced only if some of its xorbs are gone. As
 * long as a version names it they are there: the garbage collector deletes a xorb after the files that no version names, and none that
 * another file needs (`gc/collector.ts`).
 */
import { corrupt, isSiltstoneError, type ObjectStore } from 'siltstone/internal'
import { keepObjects } from '../store/condemned.ts'
import type { DocumentKind, Documents, Envelope } from '../store/documents.ts'
import { chunkedFileKey, xorbKey } from '../store/keys.ts'
import type { XorbName, Xorbs } from './xorbs.ts'

/** Chunks that follow each other in one xorb. */
export interface ChunkRange {
  xorb: XorbName
  first: number
  /** Exclusive. */
  end: number
  sizeBytes: number
}

export interface ChunkedFile {
  sizeBytes: number
  /** Of Xet, as text. */
  xetHash: string
  ranges: readonly ChunkRange[]
}

export interface ChunkedFileDocument extends Envelope {
  sizeBytes: number
  xetHash: string
  /** Folder and hash of each, with "/" between them. */
  xorbs: readonly string[]
  /** Of each range: index among `xorbs`, first chunk, end, bytes. */
  ranges: readonly (readonly [number, number, number, number])[]
}

export const chunkedFileKind: DocumentKind<ChunkedFileDocument> = {
  format: 'registry-chunked-file',
  v: 1,
  wrongField: ({ sizeBytes, xetHash, xorbs, ranges }) => {
    if (!Number.isSafeInteger(sizeBytes)) return 'sizeBytes'
    if (typeof xetHash !== 'string') return 'xetHash'
    if (!Array.isArray(xorbs)) return 'xorbs'
    return Array.isArray(ranges) ? undefined : 'ranges'
  },
}

const LOOKED_FOR_TOGETHER = 16

export class ChunkedFiles {
  readonly #store: ObjectStore
  readonly #documents: Documents
  readonly #xorbs: Xorbs

  constructor({ store, documents, xorbs }: { store: ObjectStore; documents: Documents; xorbs: Xorbs }) {
    this.#store = store
    this.#documents = documents
    this.#xorbs = xorbs
  }

  /**
   * @param sha256 of the contents that `contents` gives for the file
   * @throws SiltstoneError `unavailable` (blob-being-deleted): some of its xorbs are being deleted
   */
  async put(sha256: string, file: ChunkedFile): Promise<void> {
    const document = documentOf(file)
    await this.#documents.change(chunkedFileKey(sha256), chunkedFileKind, (current) => ({
      ...document,
      siltstone: current?.siltstone ?? document.siltstone,
    }))
    // Afterwards: the garbage collector sees the file, or its list is seen here.
    await keepObjects(this.#documents, new Set(xorbKeysOf(file)))
  }

  async find(sha256: string): Promise<ChunkedFile | undefined> {
    const key = chunkedFileKey(sha256)
    const document = (await this.#documents.read(key, chunkedFileKind))?.document
    return document === undefined ? undefined : fileOf(document, key)
  }

  /** Keys of xorbs that are not there. */
  async missing(file: ChunkedFile): Promise<string[]> {
    const keys = xorbKeysOf(file)
    const missing: string[] = []
    for (let at = 0; at < keys.length; at += LOOKED_FOR_TOGETHER) {
      const part = keys.slice(at, at + LOOKED_FOR_TOGETHER)
      const heads = await Promise.all(part.map((key) => this.#store.head(key)))
      missing.push(...part.filter((_, i) => heads[i] === undefined))
    }
    return missing
  }

  /**
   * The contents, or `length` bytes of them from `offset` on, in parts of at most 4 MiB and one chunk.
   * @throws SiltstoneError `corrupt` (blob-missing, xorb-damaged)
   */
  async *contents(file: ChunkedFile, offset = 0, length = file.sizeBytes): AsyncGenerator<Uint8Array> {
    const end = offset + length
    let at = 0
    for (const { xorb, first, end: last, sizeBytes } of file.ranges) {
      const [from, to] = [Math.max(offset - at, 0), Math.min(end - at, sizeBytes)]
      if (from < to) yield* this.#part(xorb, first, last, from, to)
      at += sizeBytes
      if (at >= end) return
    }
  }

  /** Bytes `from` to `to` of the contents of chunks. */
  async *#part(name: XorbName, first: number, end: number, from: number, to: number): AsyncGenerator<Uint8Array> {
    try {
      const table = await this.#xorbs.table(name)
      const start = table.at(first)
      const firstWanted = table.indexAt(start + from)
      let at = table.at(firstWanted) - start
      const lastWanted = Math.min(end, table.indexAt(start + to - 1) + 1)
      for await (const bytes of this.#xorbs.read(name, firstWanted, lastWanted)) {
        yield bytes.subarray(Math.max(0, from - at), Math.min(bytes.length, to - at))
        at += bytes.length
      }
    } catch (error) {
      if (!isSiltstoneError(error, 'not-found')) throw error
      const key = xorbKey(name.folder, name.hash)
      throw corrupt('blob-missing', `${key} is missing: run registry verify`, { key, cause: error })
    }
  }
}

export const xorbKeysOf = ({ ranges }: ChunkedFile): string[] => [
  ...new Set(ranges.map(({ xorb }) => xorbKey(xorb.folder, xorb.hash))),
]

function documentOf({ sizeBytes, xetHash, ranges }: ChunkedFile): ChunkedFileDocument {
  const indexes = new Map<string, number>()
  const rows = ranges.map(({ xorb, first, end, sizeBytes: bytes }) => {
    const name = `${xorb.folder}/${xorb.hash}`
    const index = indexes.get(name) ?? indexes.size
    indexes.set(name, index)
    return [index, first, end, bytes] as const
  })
  const siltstone = { format: chunkedFileKind.format, v: chunkedFileKind.v, writes: [] }
  return { sizeBytes, xetHash, xorbs: [...indexes.keys()], ranges: rows, siltstone }
}

/** @throws SiltstoneError `corrupt` (registry-damaged) */
export function fileOf({ sizeBytes, xetHash, xorbs, ranges }: ChunkedFileDocument, key: string): ChunkedFile {
  const names = xorbs.map((each) => {
    const [folder = '', hash = ''] = each.split('/')
    return { folder, hash }
  })
  const damaged = (why: string) => corrupt('registry-damaged', `${key} is damaged: ${why}`, { key })
  const named = ranges.map(([index, first, end, bytes]) => {
    const xorb = names[index]
    if (xorb === undefined) throw damaged(`it has no xorb ${index}`)
    return { xorb, first, end, sizeBytes: bytes }
  })
  if (named.reduce((sum, range) => sum + range.sizeBytes, 0) !== sizeBytes) throw damaged('its size does not fit')
  return { sizeBytes, xetHash, ranges: named }
}
