/** A promise that was broken. Ends the history. */
export class Violation extends Error {
  /** Stable, so that shrinking keeps to the same failure. */
  readonly promise: string

  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`)
    this.name = 'Violation'
    this.promise = promise
  }
}
