/** `backup/state.json` tells a complete backup from one that is still being copied. */
import { corrupt } from '../errors.ts'
import { backupStateKey } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'

const FORMAT_VERSION = 1

export interface BackupState {
  startedAtMs: number
  /** null: the backup is not complete. */
  completedAtMs: number | null
}

/**
 * @returns undefined when the store is no backup
 * @throws SiltstoneError `corrupt` when the object cannot be read, and the store's errors
 */
export async function readBackupState(store: ObjectStore): Promise<BackupState | undefined> {
  const got = await store.get(backupStateKey)
  if (got.status !== 'ok') return undefined
  try {
    const state = JSON.parse(new TextDecoder().decode(got.body)) as Partial<BackupState> & { formatVersion?: unknown }
    const { formatVersion, startedAtMs, completedAtMs } = state
    if (formatVersion === FORMAT_VERSION && typeof startedAtMs === 'number' && completedAtMs !== undefined)
      return { startedAtMs, completedAtMs }
  } catch (cause) {
    throw corrupt('bad-backup-state', `${backupStateKey} is not JSON`, { key: backupStateKey, cause })
  }
  throw corrupt('bad-backup-state', `${backupStateKey} is not of format version ${FORMAT_VERSION}`, {
    key: backupStateKey,
  })
}

export async function writeBackupState(store: ObjectStore, state: BackupState): Promise<void> {
  const text = `${JSON.stringify({ formatVersion: FORMAT_VERSION, ...state })}\n`
  await store.put(backupStateKey, new TextEncoder().encode(text), { contentType: 'application/json' })
}
