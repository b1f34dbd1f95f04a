import type { Report } from '../measure/report.ts'
import type { Options } from '../options.ts'

export interface Scenario {
  /** One line for the list of scenarios. */
  about: string
  run(options: Options, report: Report): Promise<void>
}
