/**
 * Work under a lease. The lease only saves work: a holder that loses it stops at its next step, and a commit made
 * without it is still decided by the compare-and-swap of the pointer.
 *
 * A busy lease is not a failure. Its holder may have read the log before the write that woke this process, so this
 * process marks the lease. The holder cannot release a marked lease: it clears the mark and does the work once more.
 */
import { conflict } from '../errors.ts'
import type { Environment } from './environment.ts'

type Surroundings = Pick<Environment, 'leases' | 'clock' | 'log' | 'metrics'>

export interface Held {
  fencing: number
  /** Aborted when a heartbeat finds the lease lost. */
  signal: AbortSignal
}

/** A lease that this process has acquired. */
export interface OwnedLease {
  name: string
  owner: string
  fencing: number
}

export type Guarded<T> = { status: 'busy' } | { status: 'done'; value: T }

const REPEATS = 100

/**
 * @param task runs again whenever another process marked the lease while it ran; the last value is returned
 */
export async function withLease<T>(
  env: Surroundings,
  name: string,
  owner: string,
  ttlMs: number,
  task: (held: Held) => Promise<T>,
): Promise<Guarded<T>> {
  let acquired = await env.leases.acquire(name, owner, ttlMs)
  if (acquired.status === 'busy' && !(await env.leases.markDirty(name)))
    acquired = await env.leases.acquire(name, owner, ttlMs)
  if (acquired.status === 'busy') {
    env.metrics.count('lease_busy')
    return { status: 'busy' }
  }
  const { fencing } = acquired
  return keepAlive(env, { name, owner, fencing }, ttlMs, async (held) => {
    for (let i = 0; ; i++) {
      const value = await task(held)
      const released = i < REPEATS ? await env.leases.release(name, owner, fencing) : 'lost'
      if (released !== 'dirty') return { status: 'done', value }
    }
  })
}

/** Runs a task once under a lease that was acquired before, and gives the lease back even if it fails. */
export function underLease<T>(
  env: Surroundings,
  lease: OwnedLease,
  ttlMs: number,
  task: (held: Held) => Promise<T>,
): Promise<T> {
  return keepAlive(env, lease, ttlMs, async (held) => {
    const value = await task(held)
    await giveBack(env, lease)
    return value
  })
}

/** Extends the lease while the task runs. A task that succeeds has released it; if it fails, it is given back here. */
async function keepAlive<T>(
  env: Surroundings,
  lease: OwnedLease,
  ttlMs: number,
  task: (held: Held) => Promise<T>,
): Promise<T> {
  const { name, owner, fencing } = lease
  const lost = new AbortController()
  let cancel = () => {}
  let beating: Promise<void> = Promise.resolve()
  const schedule = () => {
    cancel = env.clock.timer(ttlMs / 3, () => {
      beating = beat()
    })
  }
  const beat = async () => {
    let held = true
    try {
      held = await env.leases.heartbeat(name, owner, fencing, ttlMs)
    } catch (error) {
      // Two more beats fit into the time to live; only a clear "lost" stops the work.
      env.log.warn('lease_heartbeat_failed', { lease: name, error: String(error) })
    }
    if (!held) lost.abort(conflict('lease-lost', `the lease ${name} was taken over`))
    else if (!lost.signal.aborted) schedule()
  }
  schedule()
  try {
    return await task({ fencing, signal: lost.signal })
  } catch (error) {
    await giveBack(env, lease)
    throw error
  } finally {
    cancel()
    lost.abort(conflict('lease-released', `the work under ${name} has ended`))
    await beating
  }
}

/** After a failure the mark is dropped together with the lease; the schedule finds the work again. */
async function giveBack(env: Pick<Environment, 'leases' | 'log'>, { name, owner, fencing }: OwnedLease): Promise<void> {
  try {
    if ((await env.leases.release(name, owner, fencing)) === 'dirty') await env.leases.release(name, owner, fencing)
  } catch (error) {
    env.log.warn('lease_release_failed', { lease: name, error: String(error) })
  }
}

export const foldLease = (path: string): string => `${path}/fold`
/** Held while the entries of a fold are chosen (`compact/fold-ranges.ts`). */
export const foldChoiceLease = (path: string): string => `${path}/fold/choice`
/** Each is held for one fold of a long log. So many folds of a collection run at a time, at most. */
export const foldSlots = (path: string): string[] => Array.from({ length: 2 }, (_, n) => `${path}/fold/${n}`)
/** Held while a merge is chosen, and by processes that keep merges out (`compact/merge-claims.ts`). */
export const mergeLease = (path: string): string => `${path}/merge`
/** Each is held for one merge. So many merges of a collection run at a time, at most. */
export const mergeSlots = (path: string): string[] => Array.from({ length: 4 }, (_, n) => `${path}/merge/${n}`)
