/** What parent and child say to each other. Every question has one answer. */
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
  /** Raw f32. */
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
  /** Not timed, before the others. */
  warmUp: number
  /** Stop early after this long. */
  budgetMs: number
}

export interface CloseMessage {
  kind: 'close'
}

export type Message = StartMessage | BuildMessage | OpenMessage | RunMessage | CloseMessage

export interface RunAnswer {
  timesMs: number[]
  /** Of the whole process, all its threads, over those. */
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
