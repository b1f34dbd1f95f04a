import { deviationsForTies } from './deviations.ts'

/**
 * The recalls that a search can aim at. What is asked for is rounded up to one of them. A search for a level first does all
 * that it would do for each lower one, so a higher level never examines less.
 */
export interface RecallLevel {
  recall: number
  /**
   * A row is measured exactly if its estimated distance, less at least this many standard deviations of the estimate, is within
   * the k-th distance found. The deviations of true neighbours were alike in 64 to 768 dimensions and with codes of 1 to 4
   * bits, so these are constants (docs/decisions/0012).
   */
  deviations: number
  /** Where the distances of the neighbours are closer to one another than estimates tell apart, up to this many (`deviations.ts`). */
  mostDeviations: number
}

/** Each recall, and the fewest deviations. */
const LEVELS: readonly (readonly [recall: number, deviations: number])[] = [
  [0.5, 0.4],
  [0.8, 0.75],
  [0.9, 1.05],
  [0.95, 1.4],
  [0.98, 1.75],
  [0.99, 2],
  [0.995, 2.3],
  [0.999, 2.9],
]

export const DEFAULT_RECALL = 0.95

/**
 * Of the neighbours that a search may miss, the share that may be missed because their clusters are not visited. Measuring a
 * few more rows is cheaper than scanning more clusters, so little is left to the codes.
 */
export const MISSED_BY_CLUSTERS = 0.9

export const RECALL_LEVELS: readonly RecallLevel[] = LEVELS.map(([recall, deviations]) => levelOf(recall, deviations))

function levelOf(recall: number, deviations: number): RecallLevel {
  return { recall, deviations, mostDeviations: Math.max(deviations, deviationsForTies(missedByCodes(recall))) }
}

/** The share of the neighbours that may be missed because of their estimates. */
export function missedByCodes(recall: number): number {
  return (1 - MISSED_BY_CLUSTERS) * (1 - recall)
}

/** Standard deviation of the recall of one query that is asked for 0.95; its square goes with the share that may be missed. */
const DEVIATION = 0.11

/** Standard error of the mean recall of some queries. @param missed share of the neighbours that may be missed */
export function meanRecallError(missed: number, queries: number): number {
  return DEVIATION * Math.sqrt(missed / 0.05 / queries)
}

/** The levels that a search for this recall goes through. @param recall above 0, below 1 */
export function levelsFor(recall: number): readonly RecallLevel[] {
  const last = RECALL_LEVELS.findIndex((level) => level.recall >= recall)
  return last < 0 ? RECALL_LEVELS : RECALL_LEVELS.slice(0, last + 1)
}

/** The same, but the last one is this recall, not the next larger of `RECALL_LEVELS`. */
export function levelsTo(recall: number): readonly RecallLevel[] {
  const levels = levelsFor(recall)
  const [before, last] = levels.slice(-2)
  if (!before || !last || last.recall <= recall) return levels
  const missed = (one: number) => -Math.log(1 - one)
  const part = (missed(recall) - missed(before.recall)) / (missed(last.recall) - missed(before.recall))
  return [...levels.slice(0, -1), levelOf(recall, before.deviations + part * (last.deviations - before.deviations))]
}
