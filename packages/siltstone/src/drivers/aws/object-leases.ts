/**
 * Leases as objects, changed by compare-and-swap, for a bucket without a table of leases. They cost a few requests for
 * each compaction and need no other service.
 *
 * The object is read once and remembered; the holder extends and releases the lease with one conditional put each. A put
 * whose outcome stays unknown is followed by a read, since each change here can be recognised by its result.
 */
import { corrupt, isSiltstoneError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AcquireResult, Leases, LeaseState } from '../../ports/lease.ts'
import type { ObjectStore } from '../../ports/object-store.ts'

interface Found {
  state: LeaseState
  etag: string
}

/** The state after a change; `keep` if there is nothing to write. */
type Change<T> = (
  state: LeaseState | undefined,
  mayHaveBeenOurs: boolean,
) => { keep: T } | { next: LeaseState; answer: T }

const FOLDER = 'lease/'

export class ObjectLeases implements Leases {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #remembered = new Map<string, Found>()

  /** @param store holds only leases: `S3ObjectStore.privateFolder` */
  constructor(store: ObjectStore, options: { clock: Clock }) {
    this.#store = store
    this.#clock = options.clock
  }

  acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    return this.#change<AcquireResult>(name, (state) => {
      const nowMs = this.#nowMs()
      const isOurs = state?.owner === owner
      if (state !== undefined && !isOurs && isHeld(state, nowMs)) return { keep: { status: 'busy', state } }
      const fencing = isOurs ? state.fencing : (state?.fencing ?? 0) + 1
      const expiresAtMs = nowMs + Math.ceil(ttlMs)
      const next = { name, owner, expiresAtMs, heartbeatAtMs: nowMs, fencing, dirty: false }
      return { next, answer: { status: 'acquired', fencing } }
    })
  }

  heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean> {
    return this.#change(name, (state) => {
      if (!isOwned(state, owner, fencing)) return { keep: false }
      const nowMs = this.#nowMs()
      return { next: { ...state, heartbeatAtMs: nowMs, expiresAtMs: nowMs + Math.ceil(ttlMs) }, answer: true }
    })
  }

  release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'> {
    return this.#change<'released' | 'dirty' | 'lost'>(name, (state, mayHaveBeenOurs) => {
      if (mayHaveBeenOurs && state?.owner === undefined && state?.fencing === fencing) return { keep: 'released' }
      if (!isOwned(state, owner, fencing)) return { keep: 'lost' }
      if (state.dirty) return { next: { ...state, dirty: false }, answer: 'dirty' }
      return { next: freed(state), answer: 'released' }
    })
  }

  markDirty(name: string): Promise<boolean> {
    return this.#change(name, (state) => {
      if (state === undefined || !isHeld(state, this.#nowMs())) return { keep: false }
      return state.dirty ? { keep: true } : { next: { ...state, dirty: true }, answer: true }
    })
  }

  async inspect(name: string): Promise<LeaseState | undefined> {
    return (await this.#read(name))?.state
  }

  async list(): Promise<LeaseState[]> {
    const found: LeaseState[] = []
    let continuation: string | undefined
    do {
      const page = await this.#store.list(FOLDER, continuation === undefined ? {} : { continuation })
      const states = await Promise.all(page.objects.map(({ key }) => this.inspect(key.slice(FOLDER.length))))
      found.push(...states.filter((state) => state !== undefined))
      continuation = page.continuation
    } while (continuation !== undefined)
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async force(name: string): Promise<LeaseState | undefined> {
    return this.#change<LeaseState | undefined>(name, (state) =>
      state === undefined ? { keep: undefined } : { next: freed(state), answer: state },
    )
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #change<T>(name: string, change: Change<T>): Promise<T> {
    // A refusal by the remembered state may be out of date; a put by an outdated state is refused by the store.
    const remembered = this.#remembered.get(name)
    let found = remembered ?? (await this.#read(name))
    let isFresh = remembered === undefined
    for (let mayHaveBeenOurs = false; ; ) {
      const changed = change(found?.state, mayHaveBeenOurs)
      if ('keep' in changed && isFresh) return changed.keep
      if ('next' in changed) {
        const put = await this.#put(changed.next, found?.etag)
        if (put === 'ok') return changed.answer
        mayHaveBeenOurs ||= put === 'unknown'
      }
      found = await this.#read(name)
      isFresh = true
    }
  }

  async #read(name: string): Promise<Found | undefined> {
    const got = await this.#store.get(FOLDER + name)
    if (got.status !== 'ok') {
      this.#remembered.delete(name)
      return undefined
    }
    const found = { state: decode(name, got.body), etag: got.etag ?? '' }
    this.#remembered.set(name, found)
    return found
  }

  async #put(state: LeaseState, etag: string | undefined): Promise<'ok' | 'refused' | 'unknown'> {
    const body = Buffer.from(JSON.stringify(state))
    const condition = etag === undefined ? { ifAbsent: true as const } : { ifMatch: etag }
    try {
      const put = await this.#store.put(FOLDER + state.name, body, { ...condition, contentType: 'application/json' })
      if (put.status !== 'ok') return 'refused'
      this.#remembered.set(state.name, { state, etag: put.etag })
      return 'ok'
    } catch (error) {
      if (!isSiltstoneError(error, 'unknown')) throw error
      return 'unknown'
    }
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs())
  }
}

function isHeld({ owner, expiresAtMs }: LeaseState, nowMs: number): boolean {
  return owner !== undefined && expiresAtMs >= nowMs
}

function isOwned(state: LeaseState | undefined, owner: string, fencing: number): state is LeaseState {
  return state?.owner === owner && state.fencing === fencing
}

/** The object is kept for its fencing number. */
function freed(state: LeaseState): LeaseState {
  return { ...state, owner: undefined, expiresAtMs: 0, dirty: false }
}

function decode(name: string, body: Uint8Array): LeaseState {
  try {
    const {
      owner,
      expiresAtMs = 0,
      heartbeatAtMs = 0,
      fencing = 0,
      dirty = false,
    } = JSON.parse(Buffer.from(body).toString()) as Partial<LeaseState>
    return { name, owner, expiresAtMs, heartbeatAtMs, fencing, dirty }
  } catch (cause) {
    throw corrupt('bad-lease', `The object of the lease ${name} is not JSON. Delete the object to free the lease.`, {
      key: `.siltstone/${FOLDER}${name}`,
      cause,
    })
  }
}
