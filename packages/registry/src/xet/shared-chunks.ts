/**
 * Which chunks other machines may leave out of an upload, because a file has them already
 * (https://huggingface.co/docs/xet/deduplication). A client asks for some chunks of a new file: the first one, and those whose hash says so
 * (`isShared`). It is answered with the tables of all xorbs of a file that has the chunk, so that one answer serves a whole version.
 *
 * - `registry/shared-chunks/<chunk>/<sha256>`: the file has the chunk. Written before an upload is accepted.
 * - `registry/xorb-uses/<xorb>/<user's folder>/<artifact>`: a version of the artifact's files has chunks of the xorb. Written before
 *   the version is.
 *
 * ## Who learns of what
 * A user learns of the xorbs that he has sent himself, and of those that artifacts have which he may read now. In a shard he may name no
 * others. Hashes of chunks are keyed, with a key for each user and day, so an answer says nothing about contents to who does not have them.
 *
 * ## Failure cases
 * Both kinds of objects are empty, and serve deduplication alone: if one is missing, more is sent. One that is left over leads to nothing,
 * because the file, the xorb and the artifact are read; the garbage collector deletes it.
 */
import type { ObjectStore } from 'siltstone/internal'
import { isVisible } from '../lineage/lineage.ts'
import type { Artifacts } from '../store/artifacts.ts'
import {
  fileOfSharedChunk,
  sharedChunkKey,
  sharedChunkPrefix,
  xorbUseKey,
  xorbUseOfKey,
  xorbUsesPrefix,
} from '../store/keys.ts'
import type { ChunkTable } from './chunk-table.ts'
import type { ChunkedFile, ChunkedFiles } from './chunked-files.ts'
import { hashText, isShared } from './hashes.ts'
import type { XorbName, Xorbs } from './xorbs.ts'

/** Files and artifacts that are looked at for one chunk, one xorb. */
const MAX_LOOKS = 16
const TOGETHER = 16
const EMPTY = new Uint8Array()

export interface DescribedXorb {
  hash: string
  table: ChunkTable
}

export class SharedChunks {
  readonly #store: ObjectStore
  readonly #artifacts: Artifacts
  readonly #xorbs: Xorbs
  readonly #files: ChunkedFiles

  constructor(parts: { store: ObjectStore; artifacts: Artifacts; xorbs: Xorbs; files: ChunkedFiles }) {
    this.#store = parts.store
    this.#artifacts = parts.artifacts
    this.#xorbs = parts.xorbs
    this.#files = parts.files
  }

  /** Lets other machines find a file by its chunks. */
  async addFile(sha256: string, file: ChunkedFile): Promise<void> {
    const chunks = new Set<string>()
    for (const [i, { xorb, first, end }] of file.ranges.entries()) {
      const table = await this.#xorbs.table(xorb)
      for (let index = first; index < end; index++) {
        if ((i === 0 && index === first) || isShared(table.hash(index))) chunks.add(hashText(table.hash(index)))
      }
    }
    await this.#putAll([...chunks].map((chunk) => sharedChunkKey(chunk, sha256)))
  }

  /** Lets who may read the artifact leave out the chunks of a file of it. */
  async addUses(id: string, { ranges }: ChunkedFile): Promise<void> {
    await this.#putAll([...new Set(ranges.map(({ xorb }) => xorbUseKey(xorb.hash, xorb.folder, id)))])
  }

  async #putAll(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += TOGETHER)
      await Promise.all(keys.slice(at, at + TOGETHER).map((key) => this.#store.put(key, EMPTY, { ifAbsent: true })))
  }

  /** Where a xorb is that the user may refer to; undefined: he may refer to none with this hash. */
  async find(user: string, folder: string, hash: string): Promise<XorbName | undefined> {
    const own = { folder, hash }
    if (await this.#xorbs.has(own)) return own
    const { objects } = await this.#store.list(xorbUsesPrefix(hash), { limit: MAX_LOOKS })
    const uses = objects.flatMap(({ key }) => xorbUseOfKey(key) ?? [])
    const artifacts = await Promise.all(uses.map(({ id }) => this.#artifacts.find(id)))
    for (const [i, use] of uses.entries()) {
      const artifact = artifacts[i]
      const name = { folder: use.folder, hash }
      // An admin is no exception: what he uploads is read by others.
      const isReadable = artifact !== undefined && isVisible(artifact, { name: user, isAdmin: false })
      if (isReadable && (await this.#xorbs.has(name))) return name
    }
    return undefined
  }

  /**
   * The xorbs of a file that has the chunk, that with the chunk first; undefined: the user may not know of one.
   * @param maxChunks that are described
   */
  async describe(user: string, folder: string, chunk: string, maxChunks: number): Promise<DescribedXorb[] | undefined> {
    const { objects } = await this.#store.list(sharedChunkPrefix(chunk), { limit: MAX_LOOKS })
    for (const { key } of objects) {
      const sha256 = fileOfSharedChunk(key)
      const file = sha256 === undefined ? undefined : await this.#files.find(sha256)
      const described = file === undefined ? [] : await this.#xorbsOf(file, user, folder)
      const first = described.findIndex(({ table }) => hasChunk(table, chunk))
      if (first < 0) continue
      return cut([...described.slice(first), ...described.slice(0, first)], maxChunks)
    }
    return undefined
  }

  async #xorbsOf({ ranges }: ChunkedFile, user: string, folder: string): Promise<DescribedXorb[]> {
    const hashes = [...new Set(ranges.map(({ xorb }) => xorb.hash))]
    const described: DescribedXorb[] = []
    for (let at = 0; at < hashes.length; at += TOGETHER) {
      const part = hashes.slice(at, at + TOGETHER).map(async (hash) => {
        const name = await this.find(user, folder, hash)
        return name === undefined ? [] : [{ hash, table: await this.#xorbs.table(name) }]
      })
      described.push(...(await Promise.all(part)).flat())
    }
    return described
  }
}

function hasChunk(table: ChunkTable, chunk: string): boolean {
  for (let index = 0; index < table.length; index++) if (hashText(table.hash(index)) === chunk) return true
  return false
}

function cut(xorbs: readonly DescribedXorb[], maxChunks: number): DescribedXorb[] {
  let chunks = 0
  return xorbs.filter(({ table }, i) => {
    chunks += table.length
    return i === 0 || chunks <= maxChunks
  })
}
