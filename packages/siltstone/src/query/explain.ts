import type { SearchStats } from '../model/read.ts'

/** Collects what a search does; `lap` tells how long each stage took. */
export class SearchRecorder {
  readonly stats: SearchStats = {
    segments: 0,
    scannedRows: 0,
    freshRecords: 0,
    clusters: 0,
    listsRead: 0,
    entries: 0,
    candidates: 0,
    measured: 0,
  }
  readonly timesMs: Record<string, number> = {}
  readonly #nowMs: (() => number) | undefined
  #lastMs: number

  /** Without a clock nothing is timed. */
  constructor(nowMs?: () => number) {
    this.#nowMs = nowMs
    this.#lastMs = nowMs?.() ?? 0
  }

  /** A stage ended. */
  lap(stage: string): void {
    if (this.#nowMs === undefined) return
    const now = this.#nowMs()
    this.timesMs[stage] = (this.timesMs[stage] ?? 0) + now - this.#lastMs
    this.#lastMs = now
  }
}
