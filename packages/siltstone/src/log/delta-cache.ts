/** Inbox deltas, read and judged once: accepted with their records, or refused for a reason all readers give. */
import { equalBytes } from '#codec'
import { corrupt, isSiltstoneError } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'
import { type Delta, decodeDelta } from '../format/delta.ts'
import type { TakenCopy } from '../format/entry.ts'
import { inboxKey } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { RecordOp } from '../model/record.ts'

const READ_ATTEMPTS = 4
const PARALLEL_FETCHES = 16
const ULID_LENGTH = 26

export type DeltaContent =
  | { status: 'ok'; records: RecordOp[]; sizeBytes: number }
  | { status: 'refused'; reason: string; sizeBytes: number }
  | { status: 'gone' }
  | { status: 'changed' }

/** The content of a delta that was read as an object: also its checksum, and its version where the store has them. */
export type DeltaAnswer =
  | (Extract<DeltaContent, { status: 'ok' }> & {
      crc32: string
      versionId?: string | undefined
      handover?: string | undefined
    })
  | (Extract<DeltaContent, { status: 'refused' }> & { versionId?: string | undefined })
  | Extract<DeltaContent, { status: 'gone' | 'changed' }>

export class DeltaCache {
  readonly #store: ObjectStore
  readonly #path: string
  readonly #limitBytes: number
  readonly #known = new Map<string, DeltaAnswer>()

  /** @param limitBytes a larger delta is refused without being read */
  constructor(store: ObjectStore, path: string, limitBytes: number) {
    this.#store = store
    this.#path = path
    this.#limitBytes = limitBytes
  }

  /**
   * @param etag the version that was listed or sequenced; another one answers `changed`
   * @throws SiltstoneError `unsupported` for an unknown format version: the program must not continue without the delta
   */
  get(ulid: string, etag: string, sizeBytes: number): Promise<DeltaAnswer> {
    return this.#once(`${ulid} ${etag}`, () => this.#read(ulid, etag, sizeBytes))
  }

  /** As `get`, of the copy that an entry names; one whose checksum is wrong answers `changed`. */
  getCopy(ulid: string, etag: string, copy: TakenCopy, sizeBytes: number): Promise<DeltaAnswer> {
    return this.#once(`${ulid} ${etag}`, () => this.#readCopy(ulid, copy, sizeBytes))
  }

  /** Reads several deltas at the same time, so that `get` finds them. */
  async load(wanted: readonly { ulid: string; etag: string; sizeBytes: number }[]): Promise<void> {
    for (let i = 0; i < wanted.length; i += PARALLEL_FETCHES)
      await Promise.all(
        wanted.slice(i, i + PARALLEL_FETCHES).map(({ ulid, etag, sizeBytes }) => this.get(ulid, etag, sizeBytes)),
      )
  }

  async #once(name: string, read: () => Promise<DeltaAnswer>): Promise<DeltaAnswer> {
    const known = this.#known.get(name)
    if (known) return known
    const answer = await read()
    if (answer.status === 'ok' || answer.status === 'refused') this.#known.set(name, answer)
    return answer
  }

  /** An empty cache of the same collection, for a state that needs other deltas. */
  sibling(): DeltaCache {
    return new DeltaCache(this.#store, this.#path, this.#limitBytes)
  }

  /** @param folded ULIDs of deltas that are folded */
  forget(folded: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (folded.has(name.slice(0, ULID_LENGTH))) this.#known.delete(name)
  }

  async #read(ulid: string, etag: string, sizeBytes: number): Promise<DeltaAnswer> {
    if (sizeBytes > this.#limitBytes)
      return {
        status: 'refused',
        reason: `it has ${sizeBytes} bytes; a delta may have ${this.#limitBytes}: split it`,
        sizeBytes,
      }
    const key = inboxKey(this.#path, ulid)
    let refused: { body: Uint8Array; reason: string } | undefined
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const got = await this.#store.get(key, { ifMatch: etag })
      if (got.status === 'not-found') return { status: 'gone' }
      if (got.status !== 'ok') return { status: 'changed' }
      const judged = this.#judge(got.body, key)
      const { versionId } = got
      if (typeof judged !== 'string') return { status: 'ok', ...judged, sizeBytes, versionId, crc32: crcHex(got.body) }
      // Every reader must refuse it, now and later, so the delta itself must be bad, not one transfer of it.
      if (refused && equalBytes(refused.body, got.body))
        return { status: 'refused', reason: judged, sizeBytes, versionId }
      refused = { body: got.body, reason: judged }
    }
    throw corrupt('delta-unreadable', `${key} reads differently each time: ${refused?.reason}`, { key })
  }

  async #readCopy(ulid: string, { key, crc32 }: TakenCopy, sizeBytes: number): Promise<DeltaAnswer> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const got = await this.#store.get(key)
      if (got.status !== 'ok') return { status: 'gone' }
      if (crcHex(got.body) !== crc32) continue
      const judged = this.#judge(got.body, inboxKey(this.#path, ulid))
      return typeof judged === 'string'
        ? { status: 'refused', reason: judged, sizeBytes }
        : { status: 'ok', ...judged, sizeBytes, crc32 }
    }
    return { status: 'changed' }
  }

  /** @returns the delta's records, or why every reader refuses it */
  #judge(body: Uint8Array, key: string): Pick<Delta, 'records' | 'handover'> | string {
    try {
      const delta = decodeDelta(body, key)
      if (delta.collection !== null && delta.collection !== this.#path)
        return `it is addressed to collection ${delta.collection}`
      return { records: delta.records, ...(delta.handover !== undefined && { handover: delta.handover }) }
    } catch (error) {
      if (isSiltstoneError(error, 'invalid') || isSiltstoneError(error, 'corrupt')) return error.message
      throw error
    }
  }
}
