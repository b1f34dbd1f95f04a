/** A rating: all metrics of one evidence, the net score, and why. */
import { type Evidence, evidenceDigest } from '../evidence/evidence.ts'
import { busFactor } from './bus-factor.ts'
import { codeQuality } from './code-quality.ts'
import { datasetAndCodeScore } from './dataset-and-code-score.ts'
import { datasetQuality } from './dataset-quality.ts'
import { license } from './license.ts'
import { clamp, type Device, type Measurement, type Metric, type MetricName, METRICS } from './measurement.ts'
import { performanceClaims } from './performance-claims.ts'
import { rampUpTime } from './ramp-up-time.ts'
import { reproducibility } from './reproducibility.ts'
import { reviewedness } from './reviewedness.ts'
import { sizeScore } from './size-score.ts'
import { treeScore } from './tree-score.ts'

/** Raised by every change of a metric's meaning: ratings of another version are computed again. */
export const METRICS_VERSION = 1

/** The shares of the net score. They add up to 1. */
export const WEIGHTS: Readonly<Record<MetricName, number>> = {
  license: 0.15,
  ramp_up_time: 0.1,
  bus_factor: 0.1,
  performance_claims: 0.1,
  dataset_and_code_score: 0.1,
  dataset_quality: 0.1,
  code_quality: 0.1,
  reproducibility: 0.1,
  reviewedness: 0.05,
  tree_score: 0.05,
  size_score: 0.05,
}

export interface Rating {
  metricsVersion: number
  /** `evidenceDigest` of what it rests on. */
  evidenceDigest: string
  netScore: Measurement
  metrics: Readonly<Record<MetricName, Measurement>>
  /** Milliseconds: what learning the parts that a metric reads took, and computing it. */
  latencyMs: Readonly<Record<MetricName | 'net_score', number>>
}

export interface RatingOptions {
  /** For latencies; only differences count. */
  monotonicMs(): number
  /** Memory of each kind of machine, bytes. Default: `DEFAULT_BUDGETS`. */
  budgets?: Readonly<Record<Device, number>>
}

export function rate(evidence: Evidence, options: RatingOptions): Rating {
  const beganMs = options.monotonicMs()
  const all = metricsWith(options.budgets)
  const timed = (name: MetricName) => {
    const metric = all[name]
    const beforeMs = options.monotonicMs()
    const result = metric.measure(evidence)
    const fetchMs = metric.reads.reduce((sum, part) => sum + evidence[part].tookMs, 0)
    return { result, latencyMs: options.monotonicMs() - beforeMs + fetchMs }
  }
  const runs = byMetric(timed)
  const metrics = byMetric((name) => runs[name].result)
  const netScore = netScoreOf(metrics)
  const parts = new Set(METRICS.flatMap((name) => all[name].reads))
  const fetchMs = [...parts].reduce((sum, part) => sum + evidence[part].tookMs, 0)
  return {
    metricsVersion: METRICS_VERSION,
    evidenceDigest: evidenceDigest(evidence),
    netScore,
    metrics,
    latencyMs: { ...byMetric((name) => runs[name].latencyMs), net_score: options.monotonicMs() - beganMs + fetchMs },
  }
}

/** The weighted mean. Unknown counts 0, since trust is earned; what is not applicable is left out. */
export function netScoreOf(metrics: Readonly<Record<MetricName, Measurement>>): Measurement {
  const counted = METRICS.filter((name) => metrics[name].status !== 'not_applicable')
  const weight = counted.reduce((sum, name) => sum + WEIGHTS[name], 0)
  const reasons = METRICS.map((name) => {
    const { value, status } = metrics[name]
    if (status === 'not_applicable') return { text: `${name}: not applicable, left out`, source: 'rating', points: 0 }
    const share = weight === 0 ? 0 : WEIGHTS[name] / weight
    return {
      text: `${name}: ${value.toFixed(2)} × ${share.toFixed(3)} (${status})`,
      source: 'rating',
      points: value * share,
    }
  })
  const isWhole = counted.every((name) => metrics[name].status === 'measured')
  return {
    value: clamp(reasons.reduce((sum, { points }) => sum + points, 0)),
    status: isWhole ? 'measured' : counted.every((name) => metrics[name].status === 'unknown') ? 'unknown' : 'partial',
    reasons,
  }
}

function metricsWith(budgets: Readonly<Record<Device, number>> | undefined): Readonly<Record<MetricName, Metric>> {
  return {
    ramp_up_time: rampUpTime,
    bus_factor: busFactor,
    performance_claims: performanceClaims,
    license,
    dataset_and_code_score: datasetAndCodeScore,
    dataset_quality: datasetQuality,
    code_quality: codeQuality,
    reproducibility,
    reviewedness,
    tree_score: treeScore,
    size_score: sizeScore(budgets),
  }
}

function byMetric<T>(make: (name: MetricName) => T): Record<MetricName, T> {
  return Object.fromEntries(METRICS.map((name) => [name, make(name)])) as Record<MetricName, T>
}
