import type { Clock } from '../../ports/clock.ts'
import type { AcquireResult, Leases, LeaseState } from '../../ports/lease.ts'

/** Leases in memory, for tests and the simulation. They expire by the clock they are given. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock
  readonly #leases = new Map<string, LeaseState>()

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    const nowMs = this.#clock.nowMs()
    const current = this.#leases.get(name)
    const isOurs = current?.owner === owner
    if (current !== undefined && !isOurs && isHeld(current, nowMs)) return { status: 'busy', state: { ...current } }
    const fencing = isOurs ? current.fencing : (current?.fencing ?? 0) + 1
    this.#leases.set(name, { name, owner, expiresAtMs: nowMs + ttlMs, heartbeatAtMs: nowMs, fencing, dirty: false })
    return { status: 'acquired', fencing }
  }

  async heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean> {
    const lease = this.#owned(name, owner, fencing)
    if (lease === undefined) return false
    lease.heartbeatAtMs = this.#clock.nowMs()
    lease.expiresAtMs = lease.heartbeatAtMs + ttlMs
    return true
  }

  async release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'> {
    const lease = this.#owned(name, owner, fencing)
    if (lease === undefined) return 'lost'
    if (lease.dirty) {
      lease.dirty = false
      return 'dirty'
    }
    free(lease)
    return 'released'
  }

  async markDirty(name: string): Promise<boolean> {
    const lease = this.#leases.get(name)
    if (lease === undefined || !isHeld(lease, this.#clock.nowMs())) return false
    lease.dirty = true
    return true
  }

  async inspect(name: string): Promise<LeaseState | undefined> {
    const lease = this.#leases.get(name)
    return lease && { ...lease }
  }

  async list(): Promise<LeaseState[]> {
    return [...this.#leases.values()].map((lease) => ({ ...lease })).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async force(name: string): Promise<LeaseState | undefined> {
    const lease = this.#leases.get(name)
    if (lease === undefined) return undefined
    const was = { ...lease }
    free(lease)
    return was
  }

  async close(): Promise<void> {}

  #owned(name: string, owner: string, fencing: number): LeaseState | undefined {
    const lease = this.#leases.get(name)
    return lease?.owner === owner && lease.fencing === fencing ? lease : undefined
  }
}

function isHeld(lease: LeaseState, nowMs: number): boolean {
  return lease.owner !== undefined && lease.expiresAtMs >= nowMs
}

/** The fencing number is kept, so that the next one is higher. */
function free(lease: LeaseState): void {
  Object.assign(lease, { owner: undefined, expiresAtMs: 0, dirty: false })
}
