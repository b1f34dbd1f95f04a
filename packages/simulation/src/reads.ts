/** The correct answers of a read, given the true states while it ran. */
import type { GetResponse } from 'siltstone/internal'
import { applyDelta, lineOf, linesOf, type ModelState } from './log-model.ts'
import type { CollectionTruth, InboxDelta } from './collection-truth.ts'
import type { World } from './world.ts'

/** The true state when a read began. */
export interface Before {
  truth: CollectionTruth
  atMs: number
  end: number
  watermark: number
  damaged: number
}

export function before(world: World, truth: CollectionTruth): Before {
  return {
    truth,
    atMs: world.scheduler.nowMs,
    end: truth.end,
    watermark: truth.watermark,
    damaged: world.network.damaged,
  }
}

/** More than producers drop in one history. */
const UNSURE = 12

/**
 * The states that a strong read of this version may show: the log up to the version, each delta that was in the inbox
 * when the read began, and any of the deltas that arrived while it ran.
 */
export function* strongStates(from: Before, version: number, sinceMs = from.atMs): Generator<ModelState> {
  const waiting = from.truth.unsequenced(version)
  // What arrived in the millisecond of the beginning may have arrived after it.
  const unsure = waiting.filter(({ createdMs }) => createdMs >= sinceMs).slice(0, UNSURE)
  const base = from.truth.state(version)
  for (let bits = 0; bits < 1 << unsure.length; bits++) {
    const without = new Set(unsure.filter((_, i) => (bits & (1 << i)) === 0))
    yield withDeltas(
      base,
      waiting.filter((delta) => !without.has(delta)),
    )
  }
}

const layered = new WeakMap<ModelState, Map<string, ModelState>>()

function withDeltas(base: ModelState, deltas: readonly InboxDelta[]): ModelState {
  if (deltas.length === 0) return base
  const name = deltas.map(({ ulid }) => ulid).join(' ')
  let known = layered.get(base)
  if (!known) layered.set(base, (known = new Map()))
  let state = known.get(name)
  if (!state) {
    state = base
    for (const { records } of deltas) if (records) state = applyDelta(state, records)
    known.set(name, state)
  }
  return state
}

export function linesOfAnswer(answer: GetResponse): string[] {
  return answer.ids.map((id, i) => {
    const metadata = answer.metadatas?.[i]
    return lineOf({
      id,
      vector: answer.embeddings?.[i],
      document: answer.documents?.[i],
      metadata: metadata === null || metadata === undefined ? null : (JSON.parse(metadata) as Record<string, unknown>),
      uri: answer.uris?.[i],
    })
  })
}

export function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i])
}

/** Fails the history, with an expected state in the message, unless one of the states passes. */
export function expectOne(
  world: World,
  promise: string,
  states: Iterable<ModelState>,
  passes: (state: ModelState) => boolean,
  describe: () => string,
): void {
  let first: ModelState | undefined
  for (const state of states) {
    if (passes(state)) return
    first ??= state
  }
  const expected = first ? linesOf(first).join(' ') : 'no state at all'
  world.fail(promise, `${describe()}; expected for example ${expected}`)
}

/** @returns false if the version itself is wrong */
export function checkVersion(world: World, from: Before, version: number, oldest: number, what: string): boolean {
  if (version >= oldest && version <= from.truth.end) return true
  world.fail(
    'strong reads',
    `${what} of ${from.truth.path} answered version ${version}; the log held ${oldest} entries when it began, ${from.truth.end} now`,
  )
  return false
}
