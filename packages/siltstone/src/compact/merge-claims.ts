/**
 * Which process merges what. Several processes may merge different segments of one collection at a time: a merge claims its
 * inputs before it begins, and releases them when it is committed, lost or given up.
 *
 * - A *claim* is a lease on one of the collection's slots (`mergeSlots`). The lease's owner is the name of the process and the
 *   ids of the claimed segments, so a process that sees the lease knows what is taken.
 * - Claims are made one after another. A process that wants to merge holds `mergeLease` while it reads the manifest and the slots,
 *   chooses among the segments that no slot names, and takes a free slot. It releases `mergeLease` before it begins, so the
 *   lease is held for a few requests, while the slot is held for the whole merge.
 * - A process that holds a claim looks again when its merge has ended, until every merge that is due is claimed. So a process that
 *   finds every due merge claimed, or no slot free, may leave the rest to the others (`busy`): each of them looks at a later manifest.
 * - A process that takes part leaves a share of a long tier to the others (`merge-share.ts`).
 * - The garbage collector and `repair` must run without a merge beside them, because their epoch would make it lose its work. They hold
 *   `mergeLease`, so that no merge begins, and do nothing while a slot is held.
 *
 * Folds are divided in another way (`fold-ranges.ts`).
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
 * | clocks differ by more than a lease lasts | a slot seems to be free while it is held: one of the merges is lost |
 * | a lease is forced by an operator | as if it had expired |
 * | a program without claims runs beside it | it holds `mergeLease` for all of its merges, so no other process begins one; of merges that have begun, one is lost |
 */
import type { Environment } from '../ports/environment.ts'
import { foldSlots, type Guarded, type Held, mergeLease, mergeSlots, withLease } from '../ports/lease-guard.ts'
import type { LeaseState } from '../ports/lease.ts'
import { type ClaimKind, heldSlots, namesIn } from './claims.ts'

const VERB = ' merges '

/** A claim names the ids of the segments that are merged. */
export function mergeClaims(path: string): ClaimKind {
  return { lease: mergeLease(path), slots: mergeSlots(path), verb: VERB }
}

/**
 * Runs a task while no merge of the collection runs or begins, nor a fold beside the one whose lease the caller holds; busy if
 * one does.
 */
export async function withoutMerges<T>(
  env: Pick<Environment, 'leases' | 'clock' | 'log' | 'metrics'>,
  path: string,
  owner: string,
  ttlMs: number,
  task: (held: Held) => Promise<T>,
): Promise<Guarded<T>> {
  const guarded = await withLease(env, mergeLease(path), owner, ttlMs, async (held): Promise<Guarded<T>> => {
    const slots = [...mergeSlots(path), ...foldSlots(path)]
    if ((await heldSlots(env, slots)).length > 0) return { status: 'busy' }
    return { status: 'done', value: await task(held) }
  })
  return guarded.status === 'busy' ? guarded : guarded.value
}

/** @returns ids of segments */
export function claimedBy(state: Pick<LeaseState, 'owner'>): string[] {
  return namesIn(state, { verb: VERB })
}
