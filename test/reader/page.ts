/** Runs in the browser: the checks of reading, over what lies at an address. */
import { isSiltstoneError, knn, open, type OpenOptions, type ReadOnlyCollection, rrf } from '@siltstone/reader'
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

export interface State {
  version: number
  count: number
  documents: (string | null)[]
}

let opened: ReadOnlyCollection | undefined

/** Opens a collection of a store's bucket, for `refreshedState` too. */
export async function stateOf(url: string, collection: string, id: string): Promise<State> {
  opened = await open(url, { collection })
  return look(opened, id)
}

/** After looking for a newer snapshot, with the collection that was opened last. */
export async function refreshedState(id: string): Promise<State & { isNewer: boolean }> {
  if (!opened) throw new Error('no collection was opened')
  const isNewer = await opened.refresh()
  return { ...(await look(opened, id)), isNewer }
}

async function look(things: ReadOnlyCollection, id: string): Promise<State> {
  const { documents } = await things.get({ ids: [id], include: ['documents'] })
  return { version: await things.version(), count: await things.count(), documents }
}

/** Kind and code of the error that opening gives. */
export async function problemOf(url: string, collection: string): Promise<[string, string] | undefined> {
  try {
    await open(url, { collection })
    return undefined
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    return [error.kind, error.code]
  }
}
