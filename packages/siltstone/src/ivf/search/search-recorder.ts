import type { SearchStats } from '../../model/read.ts'

/** Collects what a search does and how long each of its stages takes. */
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
  #stageStartMs: number

  /** @param nowMs a monotonic clock; without one no time is taken */
  constructor(nowMs?: () => number) {
    this.#nowMs = nowMs
    this.#stageStartMs = nowMs?.() ?? 0
  }

  /** Adds the time since the previous stage ended to this one. */
  endStage(stage: string): void {
    if (this.#nowMs === undefined) return
    const now = this.#nowMs()
    this.timesMs[stage] = (this.timesMs[stage] ?? 0) + now - this.#stageStartMs
    this.#stageStartMs = now
  }
}
