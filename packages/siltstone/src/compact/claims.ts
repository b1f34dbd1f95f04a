/**
 * Claims: which process does which part of the work on one collection. `merge-claims.ts` and `fold-ranges.ts` say what is claimed
 * and what follows from failures.
 *
 * A claim is a lease on one of a few slots. Its owner is the name of the process and of what is claimed, so a process that sees the
 * lease knows what is taken. Claims of one kind are made one after another, under a lease that is held for a few requests.
 */
import type { Environment } from '../ports/environment.ts'
import { type Held, type OwnedLease, underLease, withLease } from '../ports/lease-guard.ts'
import type { LeaseState } from '../ports/lease.ts'
import { fullJitterMs } from '../ports/retry.ts'

/** One kind of work on one collection. */
export interface ClaimKind {
  /** Held while something is chosen. */
  lease: string
  /** Each is held for the work on one claim. */
  slots: readonly string[]
  /** In the owner of a slot, between the name of the process and what it claims. */
  verb: string
}

export interface ClaimOptions {
  env: Pick<Environment, 'leases' | 'clock' | 'log' | 'metrics' | 'random' | 'ids'>
  kind: ClaimKind
  /** Of the process. */
  name: string
  ttlMs: number
  /** Ends the waiting for the lease. */
  signal: AbortSignal
}

export interface Claimable<C> {
  /** Names of what to claim, without spaces. */
  inputs: readonly string[]
  choice: C
}

/** Others hold the lease for a few requests, unless they keep this work out. */
const TRIES = 5
const PAUSE = { baseMs: 200, maxMs: 2_000 }

/**
 * Claims what `choose` chooses, and works under the claim.
 * @param choose is given the claims of others, each as the names in it; anything but a choice is the answer
 * @param work stops when the signal is aborted: its claim is lost then
 */
export async function withClaim<C, A extends string | null, R>(
  options: ClaimOptions,
  choose: (claims: readonly (readonly string[])[]) => Promise<Claimable<C> | A>,
  work: (choice: C, held: Held) => Promise<R>,
): Promise<R | A | 'busy'> {
  const { env, kind, ttlMs, signal, name } = options
  const owner = `${name}/${env.ids.ulid()}`
  let claim: { lease: OwnedLease; choice: C } | undefined
  // Called again if another process gave up while it ran. What is claimed already is kept.
  const claimOne = async () => (claim ? undefined : await tryToClaim(options, choose, (made) => (claim = made)))
  for (let tries = 1; ; tries++) {
    const planned = await withLease(env, kind.lease, owner, ttlMs, claimOne)
    if (claim) return underLease(env, claim.lease, ttlMs, (held) => work((claim as { choice: C }).choice, held))
    if (planned.status === 'done') return planned.value as A | 'busy'
    if (tries === TRIES) return 'busy'
    await env.clock.sleep(fullJitterMs(tries, { ...PAUSE, random: env.random }), signal)
  }
}

async function tryToClaim<C, A extends string | null>(
  { env, kind, name, ttlMs }: ClaimOptions,
  choose: (claims: readonly (readonly string[])[]) => Promise<Claimable<C> | A>,
  onClaim: (claim: { lease: OwnedLease; choice: C }) => void,
): Promise<A | 'busy' | undefined> {
  const held = await heldSlots(env, kind.slots)
  const free = kind.slots.filter((slot) => !held.some((state) => state.name === slot))
  if (free.length === 0) return 'busy'
  const chosen = await choose(held.map((state) => namesIn(state, kind)))
  if (chosen === null || typeof chosen === 'string') return chosen
  const owner = name + kind.verb + chosen.inputs.join(' ')
  for (const slot of free) {
    const acquired = await env.leases.acquire(slot, owner, ttlMs)
    if (acquired.status === 'busy') continue
    onClaim({ lease: { name: slot, owner, fencing: acquired.fencing }, choice: chosen.choice })
    return undefined
  }
  return 'busy'
}

/** @returns those that are held, as far as this process's clock tells */
export async function heldSlots(
  { leases, clock }: Pick<Environment, 'leases' | 'clock'>,
  slots: readonly string[],
): Promise<LeaseState[]> {
  // Before the slots are read: one that is extended in the meantime must not be taken for expired.
  const nowMs = clock.nowMs()
  const states = await Promise.all(slots.map((slot) => leases.inspect(slot)))
  return states.filter((state) => state?.owner !== undefined && state.expiresAtMs >= nowMs) as LeaseState[]
}

/** What the holder of a slot claims. */
export function namesIn({ owner }: Pick<LeaseState, 'owner'>, { verb }: Pick<ClaimKind, 'verb'>): string[] {
  return owner?.split(verb)[1]?.split(' ') ?? []
}
