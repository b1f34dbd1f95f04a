import type { Dataset } from '../data/dataset.ts'
import type { Report } from '../measure/report.ts'
import type { Options } from '../options.ts'

export interface Scenario {
  /** One line for the list of scenarios: what it measures. */
  about: string
  /** Sizes that it is run at when none is given. 0: it needs no records. */
  records: readonly number[]
  /** @param open the data set, loaded when it is first asked for */
  run(options: Options, report: Report, open: () => Dataset): Promise<void>
}
