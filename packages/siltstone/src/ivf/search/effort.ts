/**
 * How much of the inverted files a search examines. All limits are decided here, so that another policy (a recall to
 * reach, calibrated per index) can replace this one. bench/RESULTS.md has the recall of these defaults on real text.
 */
import type { SearchOptions } from '../../model/read.ts'

export interface Effort {
  /** Clusters scanned if there were one segment and every row were admitted. */
  probes: number
  /** Half the width of an estimate's interval, in standard deviations. */
  deviations: number
  /**
   * Factor on the width of a survivor's interval when it is compared with the exact distances of the likeliest ones,
   * which are a tighter bound than the estimates gave. docs/decisions/0005 has its effect.
   */
  lateWidening: number
  /** The most survivors measured exactly. */
  rerank: number
}

/** What ends the choice of clusters: `least` of them hold `matches` admitted rows, or there are `most`. */
export interface ClusterLimits {
  least: number
  most: number
  /** Admitted rows that the chosen clusters should hold. */
  matches: number
}

const DEFAULT_PROBES = 48
const DEFAULT_DEVIATIONS = 1.5
const LATE_DEVIATIONS = 1.75
const LEAST_RERANK = 200

/** Admitted rows to see under a filter that admits a share of at most `RARE_SHARE`; fewer under one that admits more. */
const RARE_MATCHES = 3_000
const RARE_SHARE = 0.02

export function effortOf(k: number, { probes, deviations, rerank }: SearchOptions = {}): Effort {
  return {
    probes: probes ?? Math.ceil(DEFAULT_PROBES * Math.sqrt(Math.max(1, k / 10))),
    deviations: deviations ?? DEFAULT_DEVIATIONS,
    lateWidening: LATE_DEVIATIONS / DEFAULT_DEVIATIONS,
    rerank: rerank ?? Math.max(LEAST_RERANK, 10 * k),
  }
}

/**
 * @param clusters of each segment
 * @param rows of all segments
 * @param admitted how many of `rows` a filter admits
 */
export function clusterLimits(
  effort: Effort,
  { clusters, rows, admitted }: { clusters: readonly number[]; rows: number; admitted: number },
): ClusterLimits {
  const total = clusters.reduce((sum, count) => sum + count, 0)
  // A segment has clusters in proportion to the root of its rows, so several segments have smaller clusters than one
  // would. This many more of them hold as many entries.
  const factor = clusters.reduce((sum, count) => sum + Math.sqrt(count / total), 0)
  const least = Math.ceil(effort.probes * factor)
  const share = admitted / rows
  if (share === 1) return { least, most: least, matches: 0 }
  const rowsUnfiltered = least * (rows / total)
  return {
    least,
    most: Math.max(least, Math.ceil((least * 3) / share)),
    matches: Math.max(RARE_MATCHES * Math.min(1, Math.sqrt(RARE_SHARE / share)), rowsUnfiltered * share ** 0.4),
  }
}
