/** Reports the demo's steps: name, progress and duration. On a terminal, progress overwrites itself. */
import type { Clock } from '../../../ports/clock.ts'
import { writeOut } from '../../../host/process.ts'
import { duration } from '../../format.ts'
import type { Output } from '../../output.ts'

export interface StepTime {
  step: string
  ms: number
}

export class Steps {
  readonly times: StepTime[] = []
  readonly #out: Output
  readonly #clock: Clock

  constructor(out: Output, clock: Clock) {
    this.#out = out
    this.#clock = clock
  }

  /**
   * @param work receives a function that shows progress, and returns the line to print
   */
  async run(step: string, work: (progress: (text: string) => Promise<void>) => Promise<string>): Promise<void> {
    const beganMs = this.#clock.monotonicMs()
    await this.#out.progress(`${step} …`)
    const line = await work((text) => this.#out.progress(`${step}: ${text} …`))
    const ms = this.#clock.monotonicMs() - beganMs
    this.times.push({ step, ms })
    await this.#out.endProgress()
    await this.say(`  ${step.padEnd(10)} ${line} (${duration(ms)})\n`)
  }

  /** Prints text, but not with `--json`. */
  async say(text: string): Promise<void> {
    if (!this.#out.json) await writeOut(text)
  }
}
