/**
 * The progress of one collection's migration: a small JSON file that is replaced atomically after each page. It is written
 * when the page is durable in the store, so a run that was killed repeats at most one page. Pages are written with `add`,
 * which ignores existing records, so the counts are exact however often a run is killed.
 */
import { conflict, isSiltstoneError, readFileText, writeFileWhole } from 'siltstone/internal'
import type { Sample } from './sample.ts'
import type { LeftOut } from './left-out.ts'

export interface MigrationState {
  version: 2
  /** `MigrationSource.identity`. */
  source: string
  /** The collection's name in the source. */
  collection: string
  target: { tenant: string; database: string; name: string; id: string | null }
  /** The source's fingerprint when the migration began. */
  fingerprint: string | null
  phase: 'creating' | 'copying' | 'copied'
  cursor: string | null
  /** Records read and written so far. */
  records: number
  left: LeftOut
  /** Records whose documents were embedded because their vectors cannot be read. */
  embedded: number
  /** The options that decide what is skipped. */
  preparation: { renameKeys: boolean; embedMissing: boolean }
  /** Records in the target before the migration. */
  recordsBefore: number
  sample: Sample
  /** Over all runs. */
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
    if (state.version === 2) return state
  } catch (cause) {
    throw conflict(
      'state-unreadable',
      `${path} is not the state of a migration: ${String(cause)}; remove it to start again`,
      {
        cause,
      },
    )
  }
  throw conflict('state-unreadable', `${path} was written by another version of Siltstone; remove it to start again`)
}

export function saveState(path: string, state: MigrationState): Promise<void> {
  return writeFileWhole(path, `${JSON.stringify(state)}\n`)
}
