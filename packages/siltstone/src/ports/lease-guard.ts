/**
 * Work under a lease. The lease only saves work: whoever loses it stops at its next step, and a commit made without it
 * is still decided by the pointer's compare-and-swap.
 *
 * A busy lease is no failure. Its holder may have looked at the log before the write that woke us, so we leave a mark;
 * the holder cannot release the lease while the mark stands: it clears it and works once more.
 */
import { conflict } from '../errors.ts'
import type { Environment } from './environment.ts'

export interface Held {
  fencing: number
  /** Aborted when a heartbeat finds the lease lost. */
  signal: AbortSignal
}

export type Guarded<T> = { status: 'busy' } | { status: 'done'; value: T }

const REPEATS = 100

/**
 * @param task runs again for as long as somebody marked the lease while it ran; the last value is returned
 */
export async function withLease<T>(
  env: Pick<Environment, 'leases' | 'clock' | 'log' | 'metrics'>,
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
    for (let i = 0; ; i++) {
      const value = await task({ fencing, signal: lost.signal })
      const released = i < REPEATS ? await env.leases.release(name, owner, fencing) : 'lost'
      if (released !== 'dirty') return { status: 'done', value }
    }
  } catch (error) {
    await giveBack(env, name, owner, fencing)
    throw error
  } finally {
    cancel()
    lost.abort(conflict('lease-released', `the work under ${name} is over`))
    await beating
  }
}

/** After a failure: the mark is dropped with the lease, and the schedule looks again. */
async function giveBack(
  env: Pick<Environment, 'leases' | 'log'>,
  name: string,
  owner: string,
  fencing: number,
): Promise<void> {
  try {
    if ((await env.leases.release(name, owner, fencing)) === 'dirty') await env.leases.release(name, owner, fencing)
  } catch (error) {
    env.log.warn('lease_release_failed', { lease: name, error: String(error) })
  }
}

export const foldLease = (path: string): string => `${path}/fold`
export const mergeLease = (path: string): string => `${path}/merge`
