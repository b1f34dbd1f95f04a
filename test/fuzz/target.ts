/** The code that is fuzzed, and its permitted outcomes. */
import { isDeepStrictEqual } from 'node:util'
import { type ErrorKind, isSiltstoneError } from 'siltstone/internal'
import type { Allocations } from './allocations.ts'
import { Chance, mutateBytes, mutateJson } from './mutate-bytes.ts'

export interface Target {
  name: string
  /** Valid inputs. */
  seeds: readonly Uint8Array[]
  /** Errors of these kinds are permitted outcomes. */
  kinds: readonly ErrorKind[]
  /**
   * The content of the bytes, for comparison. `resealed`: the input was changed with knowledge of the format, so
   * checksums are corrected before it is read.
   */
  parse(bytes: Uint8Array, resealed: boolean): unknown
  /** Checksums guard the input: damage without resealing gives an error, or the answer of the seed. */
  guarded: boolean
  /** Whether `parse` can correct checksums. */
  canReseal?: boolean
  /** The seeds are JSON after their head: values are changed too, not only bytes. */
  json?: boolean
  /** Bytes at the start that mostly stay as they are. */
  head?(seed: Uint8Array): number
  /** The memory that one input may use; default 4 MB and 300 times its size (LZ4 unpacks to 255 times). */
  allowedBytes?: (input: Uint8Array) => number
  /** All seeds have the same answer. */
  oneAnswer?: boolean
  /** Run a tenth as often as others. */
  slow?: boolean
}

export interface Case {
  target: Target
  seed: number
  iteration: number
}

export interface Tally {
  runs: number
  answers: number
  errors: number
  slowestMs: number
  largestBytes: number
}

export const newTally = (): Tally => ({ runs: 0, answers: 0, errors: 0, slowestMs: 0, largestBytes: 0 })

/** Answers of the unchanged seeds. A target without checksums may refuse them. */
export type Expected = readonly unknown[]

export async function expectedOf({ guarded, oneAnswer, seeds, parse }: Target): Promise<Expected> {
  if (!guarded) return []
  const asked = oneAnswer === true ? seeds.slice(0, 1) : seeds
  const answers = await Promise.all(asked.map(async (bytes) => parse(new Uint8Array(bytes), false)))
  return seeds.map((_, i) => answers[oneAnswer === true ? 0 : i])
}

export class Finding extends Error {}

interface Input {
  which: number
  bytes: Uint8Array
  resealed: boolean
}

/** Equal for equal cases on each machine. */
export function inputOf({ target, seed, iteration }: Case): Input {
  const chance = new Chance(Math.imul(seed, 0x9e3779b1) ^ Math.imul(iteration + 1, 0x85ebca6b) ^ textHash(target.name))
  const which = chance.below(target.seeds.length)
  const original = target.seeds[which] as Uint8Array
  const resealed = target.canReseal === true && chance.next() < 0.6
  const kept = chance.next() < 0.9 ? (target.head?.(original) ?? 0) : 0
  const head = original.subarray(0, kept)
  const rest = original.subarray(kept)
  const isJson = target.json === true && rest.length > 0 && (kept > 0 || target.head === undefined)
  const changed =
    isJson && chance.next() < 0.6
      ? Buffer.from(JSON.stringify(mutateJson(JSON.parse(Buffer.from(rest).toString('utf8')), chance)) ?? '')
      : mutateBytes(rest, target.seeds, chance)
  return { which, bytes: new Uint8Array(Buffer.concat([head, changed])), resealed }
}

/** @throws Finding */
export async function runCase(given: Case, expected: Expected, allocations: Allocations, tally: Tally): Promise<void> {
  const { target } = given
  const { which, bytes, resealed } = inputOf(given)
  const fail = (what: string, cause?: unknown): never => {
    throw new Finding(`${target.name}, seed ${given.seed}, iteration ${given.iteration}: ${what}`, { cause })
  }
  tally.runs++
  allocations.reset()
  const startedMs = performance.now()
  let answer: unknown
  let failed = false
  try {
    answer = await target.parse(new Uint8Array(bytes), resealed)
  } catch (error) {
    failed = true
    if (!isSiltstoneError(error) || !target.kinds.includes(error.kind)) fail(String(error), error)
  }
  const { largest } = allocations
  tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startedMs)
  tally.largestBytes = Math.max(tally.largestBytes, largest)
  const allowed = target.allowedBytes?.(bytes) ?? 4e6 + 300 * bytes.length
  if (largest > allowed) fail(`${largest} bytes were asked for at once, for an input of ${bytes.length}`)
  if (failed) tally.errors++
  else {
    tally.answers++
    if (target.guarded && !resealed && !isDeepStrictEqual(answer, expected[which]))
      fail('damage gave another answer instead of an error')
  }
  if (Object.hasOwn(Object.prototype, 'polluted')) fail('the prototype of all objects was polluted')
}

function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
