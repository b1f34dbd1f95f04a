/** Regular expressions of the parts of keys: `keys.ts` checks single parts with them, `parse-key.ts` whole keys. */

const HASH = '[0-9a-f]{12}'
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

export const patterns = {
  hash: HASH,
  uuid: UUID,
  path: `${HASH}-${HASH}-${UUID}`,
  number: '\\d{20}',
  ulid: '[0-7][0-9A-HJKMNP-TV-Z]{25}',
  file: '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?',
  sha256: '[0-9a-f]{64}',
  hour: '\\d{10}',
  embeddingId: '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?',
} as const

/** Key of the object that describes the store. */
export const STORE_KEY = 'snapshot/latest/pointer.txt'

/** Key of the object that says whether a backup is complete. */
export const BACKUP_STATE_KEY = 'backup/state.json'
