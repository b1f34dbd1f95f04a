/** The messages of parent and child. Every request has one answer. */
import type { BuildResult, BuildSource, CandidateOptions, FilterSpec } from './candidate.ts'

export interface StartMessage {
  kind: 'start'
  candidate: string
  options: CandidateOptions
}

export interface BuildMessage {
  kind: 'build'
  source: BuildSource
}

export interface OpenMessage {
  kind: 'open'
  /** Raw f32 rows. */
  queries: string
}

export interface RunMessage {
  kind: 'run'
  /** Undefined: the candidate's default. */
  value: number | undefined
  filter: FilterSpec | undefined
  filterName: string
  k: number
  count: number
  /** Number of queries before the measured ones, not timed. */
  warmUp: number
  /** Stop early after this time. */
  budgetMs: number
}

export interface CloseMessage {
  kind: 'close'
}

export type Message = StartMessage | BuildMessage | OpenMessage | RunMessage | CloseMessage

export interface RunAnswer {
  timesMs: number[]
  /** Processor time of the whole process, all its threads, for the measured queries. */
  cpuSeconds: number
  found: (readonly number[] | readonly string[])[]
}

export interface OpenAnswer {
  seconds: number
}

export type BuildAnswer = BuildResult

export interface Failure {
  failed: string
}
