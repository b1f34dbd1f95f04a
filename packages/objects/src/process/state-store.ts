/** Reads and writes states by compare-and-swap. */
import { type Ids, isSiltstoneError, type ObjectStore, type PutResult, type SiltstoneError } from 'siltstone/internal'
import {
  decodeState,
  encodeState,
  isGoneBySize,
  newState,
  type ObjectState,
  stateKey,
  statePrefix,
  STATES_ROOT,
  withWrite,
} from './state.ts'

export interface ReadState {
  state: ObjectState
  etag: string
}

export class StateStore {
  readonly #store: ObjectStore
  readonly #ids: Ids

  constructor(store: ObjectStore, ids: Ids) {
    this.#store = store
    this.#ids = ids
  }

  /** @throws SiltstoneError `corrupt` (object-state-damaged), and what the store throws */
  async read(bucket: string, key: string): Promise<ReadState | undefined> {
    return this.#at(stateKey(bucket, key))
  }

  /** Undefined also for one that is damaged: who looks at its object makes it again. @throws what the store throws */
  async readable(bucket: string, key: string): Promise<ReadState | undefined> {
    return this.#readable(stateKey(bucket, key))
  }

  /**
   * Replaces the state that was read; undefined: creates it.
   * @returns undefined if it has changed since
   */
  async write(state: ObjectState, replaced: ReadState | undefined): Promise<ReadState | undefined> {
    const at = stateKey(state.bucket, state.key)
    const id = this.#ids.ulid()
    const written = withWrite(state, id)
    let result: PutResult | undefined
    try {
      const condition = replaced === undefined ? { ifAbsent: true as const } : { ifMatch: replaced.etag }
      result = await this.#store.put(at, encodeState(written), condition)
    } catch (error) {
      if (!isSiltstoneError(error, 'unknown')) throw error
    }
    if (result?.status === 'ok') return { state: written, etag: result.etag }
    // The answer of a put that was applied may be lost, and its repetition then finds another version: our own.
    const now = await this.#at(at)
    return now?.state.writes.includes(id) === true ? this.#own(now, written) : undefined
  }

  /** Ours, unless another write followed it. */
  #own(now: ReadState, written: ObjectState): ReadState | undefined {
    return now.state.writes.at(-1) === written.writes.at(-1) ? now : undefined
  }

  /**
   * Puts a new state in the place of one that is damaged. An older program's work may still be running, so it fences. Nothing
   * happens if the state is whole by now.
   */
  async replaceDamaged(bucket: string, key: string): Promise<void> {
    const at = stateKey(bucket, key)
    const got = await this.#store.get(at)
    if (got.status !== 'ok' || got.etag === undefined) return
    try {
      decodeState(got.body, at)
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      const state = withWrite({ ...newState(bucket, key), mustFence: true }, this.#ids.ulid())
      await this.#store.put(at, encodeState(state), { ifMatch: got.etag })
    }
  }

  /** States of a bucket, page by page; without those whose object and records are gone, unless `gone` is true. */
  async *all(
    bucket: string,
    { gone = false, onDamaged }: { gone?: boolean; onDamaged?: (error: SiltstoneError) => void } = {},
  ): AsyncGenerator<ObjectState> {
    const prefix = statePrefix(bucket)
    for (let continuation: string | undefined, more = true; more; ) {
      const page = await this.#store.list(prefix, continuation === undefined ? {} : { continuation })
      const keys = page.objects.filter(({ sizeBytes }) => gone || !isGoneBySize(sizeBytes)).map(({ key }) => key)
      for (let at = 0; at < keys.length; at += READS_AT_ONCE) {
        const found = await Promise.all(
          keys.slice(at, at + READS_AT_ONCE).map(async (key) => {
            try {
              return await this.#at(key)
            } catch (error) {
              if (onDamaged === undefined || !isSiltstoneError(error, 'corrupt')) throw error
              onDamaged(error)
              return undefined
            }
          }),
        )
        for (const one of found) if (one !== undefined) yield one.state
      }
      continuation = page.continuation
      more = continuation !== undefined
    }
  }

  /**
   * One page of the keys that have states, in the order of the names of these, without those that cannot be read.
   * @param options.after the name of the last state of the page before
   * @returns `next`: the name after which the next page begins; undefined: there is none
   */
  async page(
    bucket: string,
    { after, limit, gone = false }: { after?: string; limit: number; gone?: boolean },
  ): Promise<{ found: { name: string; key: string }[]; next: string | undefined }> {
    const prefix = statePrefix(bucket)
    const start = after === undefined ? {} : { startAfter: `${prefix}${after}` }
    const page = await this.#store.list(prefix, { ...start, limit })
    const listed = page.objects.filter(({ sizeBytes }) => gone || !isGoneBySize(sizeBytes))
    const found: { name: string; key: string }[] = []
    for (let at = 0; at < listed.length; at += READS_AT_ONCE) {
      const names = listed.slice(at, at + READS_AT_ONCE).map(({ key }) => key)
      const states = await Promise.all(names.map((name) => this.#readable(name)))
      for (const [k, read] of states.entries())
        if (read !== undefined) found.push({ name: (names[k] as string).slice(prefix.length), key: read.state.key })
    }
    const last = page.objects.at(-1)?.key.slice(prefix.length)
    return { found, next: page.continuation === undefined ? undefined : last }
  }

  /** Buckets that have states. */
  async buckets(): Promise<string[]> {
    const found: string[] = []
    for (let continuation: string | undefined, more = true; more; ) {
      const page = await this.#store.list(STATES_ROOT, {
        delimiter: '/',
        ...(continuation !== undefined && { continuation }),
      })
      found.push(...page.prefixes.map((prefix) => prefix.slice(STATES_ROOT.length, -1)))
      continuation = page.continuation
      more = continuation !== undefined
    }
    return found
  }

  async #readable(name: string): Promise<ReadState | undefined> {
    try {
      return await this.#at(name)
    } catch (error) {
      if (isSiltstoneError(error, 'corrupt')) return undefined
      throw error
    }
  }

  async #at(key: string): Promise<ReadState | undefined> {
    const got = await this.#store.get(key)
    if (got.status !== 'ok' || got.etag === undefined) return undefined
    return { state: decodeState(got.body, key), etag: got.etag }
  }
}

const READS_AT_ONCE = 32

/** Buckets of which there are states, without those of other workers. */
export async function ownedBuckets(
  states: StateStore,
  owns: ((bucket: string) => Promise<boolean>) | undefined,
): Promise<string[]> {
  const found: string[] = []
  for (const bucket of await states.buckets()) if (owns === undefined || (await owns(bucket))) found.push(bucket)
  return found
}
