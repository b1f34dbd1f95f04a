/** The result of one metric. */
import type { Evidence, PartName } from '../evidence/evidence.ts'

/**
 * `measured`: all evidence was there. `partial`: some was unknown, the value is what the rest shows. `unknown`: nothing can be
 * said; the value is 0. `not_applicable`: the question does not arise for this artifact; it is left out of the net score.
 */
export type Status = 'measured' | 'partial' | 'unknown' | 'not_applicable'

/** One step from evidence to value. */
export interface Reason {
  text: string
  /** The source of the part of evidence that shows it. */
  source: string
  /** What it adds to the value. The points of all reasons add up to the value, before it is cut to 0 to 1. */
  points: number
}

export const DEVICES = ['raspberry_pi', 'jetson_nano', 'desktop_pc', 'aws_server'] as const
export type Device = (typeof DEVICES)[number]

export interface Measurement {
  /** 0 to 1; −1 only for a `reviewedness` that is not applicable. */
  value: number
  status: Status
  reasons: readonly Reason[]
  /** Only of `size_score`, whose value is their mean. */
  devices?: Readonly<Record<Device, number>>
}

export const METRICS = [
  'ramp_up_time',
  'bus_factor',
  'performance_claims',
  'license',
  'dataset_and_code_score',
  'dataset_quality',
  'code_quality',
  'reproducibility',
  'reviewedness',
  'tree_score',
  'size_score',
] as const
export type MetricName = (typeof METRICS)[number]

/** A pure function of evidence. */
export interface Metric {
  name: MetricName
  /** The parts that it looks at: their times are part of its latency. */
  reads: readonly PartName[]
  measure(evidence: Evidence): Measurement
}

export function measurement(reasons: readonly Reason[], status: Status = 'measured'): Measurement {
  return { value: clamp(reasons.reduce((sum, reason) => sum + reason.points, 0)), status, reasons }
}

export function unknownMeasurement(text: string, source: string): Measurement {
  return { value: 0, status: 'unknown', reasons: [{ text, source, points: 0 }] }
}

/** 0 to 1, rounded to 12 decimals so that sums do not end in …0004. */
export const clamp = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 1e12) / 1e12
