import type { Dataset } from '../data/dataset.ts'
import type { Report } from '../measure/report.ts'
import type { Options } from '../options.ts'

export interface Scenario {
  /** What it measures, in one line for the list of scenarios. */
  about: string
  /** Default sizes; 0 means that it needs no records. */
  records: readonly number[]
  /** @param open returns the data set, which is loaded at the first call */
  run(options: Options, report: Report, open: () => Dataset): Promise<void>
}
