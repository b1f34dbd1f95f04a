/**
 * Where a migration of one collection stands: a small JSON file, replaced whole after every page. It is written after the
 * page is durable in the store, so a killed run repeats at most one page, and a page is written with `add`, which ignores
 * what is there. So counts come out exact however often it is killed.
 */
import { conflict, isSiltstoneError, readFileText, writeFileWhole } from 'siltstone/internal'
import type { Sample } from './sample.ts'
import type { Skipped } from './types.ts'

export interface MigrationState {
  version: 1
  /** `identity` of the source, and the collection's name there. */
  source: string
  collection: string
  target: { tenant: string; database: string; name: string; id: string | null }
  /** Of the source when it was begun. */
  fingerprint: string | null
  phase: 'creating' | 'copying' | 'copied'
  cursor: string | null
  /** Read and written so far. */
  records: number
  skipped: number
  skippedExamples: Skipped[]
  /** In the target before. */
  recordsBefore: number
  sample: Sample
  /** Spent so far, over all runs. */
  elapsedMs: number
}

/** @throws SiltstoneError `conflict` (state-unreadable) */
export async function loadState(path: string): Promise<MigrationState | undefined> {
  let text: string
  try {
    text = await readFileText(path)
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
  try {
    const state = JSON.parse(text) as MigrationState
    if (state.version === 1) return state
  } catch (cause) {
    throw conflict(
      'state-unreadable',
      `${path} is not a migration's state: ${String(cause)}; remove it to begin again`,
      {
        cause,
      },
    )
  }
  throw conflict('state-unreadable', `${path} is of another version of the program; remove it to begin again`)
}

export function saveState(path: string, state: MigrationState): Promise<void> {
  return writeFileWhole(path, `${JSON.stringify(state)}\n`)
}
