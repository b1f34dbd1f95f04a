/** Runs in the browser: the checks of reading, over what lies at an address. */
import { knn, open, type OpenOptions, rrf } from '@siltstone/reader'
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

/** The best hit of each text by meaning; by words, and by both, of the last. */
export async function askTexts(url: string, texts: string[]): Promise<string[]> {
  const notes = await open(url)
  const { ids } = await notes.query({ queryTexts: texts, nResults: 1 })
  const query = texts.at(-1) ?? ''
  const words = { query, key: '#document' }
  const searched = await notes.search([
    { rank: knn(words), limit: 1 },
    { rank: rrf({ ranks: [{ query }, words] }), limit: 1 },
  ])
  return [...ids, ...searched.ids].flat()
}
