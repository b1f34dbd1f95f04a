/** Runs in the browser: the checks of reading, over what lies at an address. */
import { open, type OpenOptions } from '@siltstone/reader'
import { READING_CHECKS } from '@siltstone/reader/testing'

export interface CheckResult {
  title: string
  /** undefined: it passed. */
  problem: string | undefined
}

export async function runChecks(url: string, options: OpenOptions, tolerance: number): Promise<CheckResult[]> {
  const things = await open(url, options)
  const results: CheckResult[] = []
  for (const { title, run } of READING_CHECKS) {
    try {
      await run(things, { tolerance })
      results.push({ title, problem: undefined })
    } catch (error) {
      results.push({ title, problem: String(error instanceof Error ? (error.stack ?? error) : error) })
    }
  }
  return results
}
