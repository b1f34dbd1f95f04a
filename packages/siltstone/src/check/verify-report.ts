/** The report of a verification, and the findings from which it is made. */
import { isSiltstoneError } from '../errors.ts'

export interface Problem {
  /** The object at fault, or the collection's path. */
  key: string
  problem: string
  remedy: string
  /** `warning`: only old versions are affected, nothing that is read or written now. */
  severity: 'error' | 'warning'
}

export interface VerifyFigures {
  /** Distinct objects that the collection needs, and their bytes. */
  objects: number
  bytes: number
  manifests: number
  segments: number
  /** Entries above the watermark. */
  entries: number
  /** Entries below it that are still kept. */
  foldedEntries: number
  /** Deltas in the inbox that no entry has sequenced yet. */
  inboxDeltas: number
  /** Deltas that every reader refuses. They are no problem: the manifest lists them with the reason. */
  refusedDeltas: number
  /** Live records of the snapshot. */
  snapshotRecords: number
  /** Objects under the collection's prefix that nothing refers to: garbage within its grace period. */
  unreferencedObjects: number
  unreferencedBytes: number
}

export interface VerifyReport {
  collection: string
  state: 'live' | 'closed' | 'never-folded'
  deep: boolean
  manifestKey: string | null
  watermark: number
  /** Number of the last log entry. */
  version: number
  /** Live records, the log included; null when the state cannot be read. */
  liveRecords: number | null
  problems: Problem[]
  figures: VerifyFigures
}

export class Findings {
  readonly problems: Problem[] = []
  readonly figures: VerifyFigures = {
    objects: 0,
    bytes: 0,
    manifests: 0,
    segments: 0,
    entries: 0,
    foldedEntries: 0,
    inboxDeltas: 0,
    refusedDeltas: 0,
    snapshotRecords: 0,
    unreferencedObjects: 0,
    unreferencedBytes: 0,
  }
  readonly #objects = new Set<string>()

  /** Counts an object once, even if several manifests refer to it. False when it was counted before. */
  object(key: string, sizeBytes: number): boolean {
    if (this.#objects.has(key)) return false
    this.#objects.add(key)
    this.figures.objects++
    this.figures.bytes += sizeBytes
    return true
  }

  has(key: string): boolean {
    return this.#objects.has(key)
  }

  report(key: string, problem: string, remedy: string, severity: Problem['severity'] = 'error'): void {
    const known = this.problems.some((one) => one.key === key && one.problem === problem)
    if (!known) this.problems.push({ key, problem, remedy, severity })
  }

  /**
   * Runs one check. Damage is reported; any other failure (the store does not answer) ends the verification.
   * @returns undefined when it failed
   */
  async check<T>(
    key: string,
    remedy: string,
    task: () => Promise<T>,
    severity: Problem['severity'] = 'error',
  ): Promise<T | undefined> {
    try {
      return await task()
    } catch (error) {
      if (error instanceof RangeError) {
        // A number in the object does not fit the manifest.
        this.report(key, error.message, remedy, severity)
        return undefined
      }
      if (!isSiltstoneError(error, 'corrupt') && !isSiltstoneError(error, 'unsupported')) throw error
      const upgrade = error.kind === 'unsupported'
      this.report(error.key ?? key, error.message, upgrade ? 'Upgrade Siltstone on this machine.' : remedy, severity)
      return undefined
    }
  }
}
