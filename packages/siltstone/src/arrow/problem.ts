/** What is wrong with some bytes. Whoever knows what object they are turns it into a public error. */
export class FormatProblem extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.name = 'FormatProblem'
  }
}
