/** Bytes that are not in the expected format. The caller, which knows the object, turns it into a public error. */
export class FormatProblem extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.name = 'FormatProblem'
  }
}
