/**
 * Which process merges what. Several processes may merge one collection at a time, each other segments: a merge claims its
 * inputs before it begins, and releases them when it is committed, lost or given up.
 *
 * - A *claim* is a lease on one of the collection's slots (`mergeSlots`). The lease's owner is the name of the process and the
 *   ids of the claimed segments, so a process that sees the lease knows what is taken.
 * - Claims are made one after another. A process that wants to merge holds `mergeLease` while it reads the manifest and the slots,
 *   chooses among the segments that no slot names, and takes a free slot. It releases `mergeLease` before it begins, so the
 *   lease is held for a few requests, while the slot is held for the whole merge.
 * - A process that holds a claim looks again when its merge has ended, until nothing that is due is unclaimed. So a process that finds all
 *   that is due claimed, or no slot free, may leave it to the others (`busy`): each of them looks at a later manifest than it did.
 * - A process that takes part leaves a share of a long tier to the others (`merge-share.ts`).
 * - The garbage collector and `repair` want no merge beside them, or its work would be lost to their epoch. They hold
 *   `mergeLease`, so that no merge begins, and do nothing while a slot is held.
 *
 * Folds of one collection stay under one lease. A fold places each operation against the records that all earlier ones left,
 * so a second fold can plan nothing before the first has ended.
 *
 * Claims only save work. Whether two merges of the same segment are both right is decided by the commit: the second finds its
 * input absent and is dropped (`merge.ts`).
 *
 * | failure | what follows |
 * |---|---|
 * | a process ends or stalls while it chooses | others are `busy` until its lease expires; the next message or the schedule merges |
 * | it stalls between its choice and its slot, until `mergeLease` expires | two claims may name one segment: one of the merges is lost |
 * | it ends during its merge | its slot expires; until then its segments are left alone |
 * | it stalls during its merge until its slot expires | another merges its segments. A heartbeat then stops it, or its commit finds its inputs absent |
 * | the answer to taking a slot is lost | it names the same segments again; if it does not, the slot expires |
 * | a slot cannot be released | as if the process had ended |
 * | clocks differ by more than a lease lasts | a slot is taken for free while it is held: one of the merges is lost |
 * | a lease is forced by an operator | as if it had expired |
 * | a program without claims runs beside it | it holds `mergeLease` for all of its merges, so no other process begins one; of merges that have begun, one is lost |
 */
import type { Environment } from '../ports/environment.ts'
import {
  type Guarded,
  type Held,
  mergeLease,
  mergeSlots,
  type OwnedLease,
  underLease,
  withLease,
} from '../ports/lease-guard.ts'
import type { LeaseState } from '../ports/lease.ts'
import { fullJitterMs } from '../ports/retry.ts'

export interface ClaimOptions {
  env: Pick<Environment, 'leases' | 'clock' | 'log' | 'metrics' | 'random' | 'ids'>
  path: string
  /** Of the process. */
  name: string
  ttlMs: number
  /** Ends the waiting for `mergeLease`. */
  signal: AbortSignal
}

export interface Claimable<C> {
  /** Ids of the segments to claim. */
  inputs: readonly string[]
  choice: C
}

/** Others hold `mergeLease` for a few requests, unless they keep merges out. */
const TRIES = 5
const PAUSE = { baseMs: 200, maxMs: 2_000 }
const BEFORE_INPUTS = ' merges '

/**
 * Claims what `choose` chooses, and works under the claim.
 * @param choose is given the claims of others, each as the ids of the segments that it names; anything but a choice is the answer
 * @param work stops when the signal is aborted: its claim is lost then
 */
export async function withClaim<C, A extends string | null, R>(
  options: ClaimOptions,
  choose: (claims: readonly (readonly string[])[]) => Promise<Claimable<C> | A>,
  work: (choice: C, held: Held) => Promise<R>,
): Promise<R | A | 'busy'> {
  const { env, path, ttlMs, signal, name } = options
  const owner = `${name}/${env.ids.ulid()}`
  let claim: { lease: OwnedLease; choice: C } | undefined
  // Called again if another process gave up while it ran. What is claimed already is kept.
  const claimOne = async () => (claim ? undefined : await tryToClaim(options, choose, (made) => (claim = made)))
  for (let tries = 1; ; tries++) {
    const planned = await withLease(env, mergeLease(path), owner, ttlMs, claimOne)
    if (claim) return underLease(env, claim.lease, ttlMs, (held) => work((claim as { choice: C }).choice, held))
    if (planned.status === 'done') return planned.value as A | 'busy'
    if (tries === TRIES) return 'busy'
    await env.clock.sleep(fullJitterMs(tries, { ...PAUSE, random: env.random }), signal)
  }
}

async function tryToClaim<C, A extends string | null>(
  { env, path, name, ttlMs }: ClaimOptions,
  choose: (claims: readonly (readonly string[])[]) => Promise<Claimable<C> | A>,
  onClaim: (claim: { lease: OwnedLease; choice: C }) => void,
): Promise<A | 'busy' | undefined> {
  const held = await heldSlots(env, path)
  const free = mergeSlots(path).filter((slot) => !held.some((state) => state.name === slot))
  if (free.length === 0) return 'busy'
  // step: claimed-segments-are-left-alone
  const chosen = await choose(held.map(claimedBy))
  if (chosen === null || typeof chosen === 'string') return chosen
  const owner = name + BEFORE_INPUTS + chosen.inputs.join(' ')
  for (const slot of free) {
    const acquired = await env.leases.acquire(slot, owner, ttlMs)
    if (acquired.status === 'busy') continue
    onClaim({ lease: { name: slot, owner, fencing: acquired.fencing }, choice: chosen.choice })
    return undefined
  }
  return 'busy'
}

/** Runs a task while no merge of the collection runs or begins; busy if one does. */
export async function withoutMerges<T>(
  env: ClaimOptions['env'],
  path: string,
  owner: string,
  ttlMs: number,
  task: (held: Held) => Promise<T>,
): Promise<Guarded<T>> {
  const guarded = await withLease(env, mergeLease(path), owner, ttlMs, async (held): Promise<Guarded<T>> => {
    if ((await heldSlots(env, path)).length > 0) return { status: 'busy' }
    return { status: 'done', value: await task(held) }
  })
  return guarded.status === 'busy' ? guarded : guarded.value
}

async function heldSlots(
  { leases, clock }: Pick<Environment, 'leases' | 'clock'>,
  path: string,
): Promise<LeaseState[]> {
  // Before the slots are read: one that is extended in the meantime must not be taken for expired.
  const nowMs = clock.nowMs()
  const states = await Promise.all(mergeSlots(path).map((slot) => leases.inspect(slot)))
  return states.filter((state) => state?.owner !== undefined && state.expiresAtMs >= nowMs) as LeaseState[]
}

/** @returns ids of segments */
export function claimedBy({ owner }: Pick<LeaseState, 'owner'>): string[] {
  return owner?.split(BEFORE_INPUTS)[1]?.split(' ') ?? []
}
