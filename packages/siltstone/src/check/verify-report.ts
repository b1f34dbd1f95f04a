/** The findings from which the report of a verification is made. */
import { isSiltstoneError } from '../errors.ts'
import type { Problem, VerifyFigures } from '../model/verify.ts'

export type { Problem, VerifyFigures, VerifyReport } from '../model/verify.ts'

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
