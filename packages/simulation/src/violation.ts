/** A broken promise, which ends the history. */
export class Violation extends Error {
  /** A stable name, so that shrinking keeps the same failure. */
  readonly promise: string

  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`)
    this.name = 'Violation'
    this.promise = promise
  }
}
