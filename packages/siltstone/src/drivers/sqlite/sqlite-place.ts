/**
 * Places in a SQLite file, as SQLAlchemy writes them: `sqlite:///registry.db` below the working directory, `sqlite:////srv/registry.db`
 * anywhere, `sqlite://` in the memory of one process.
 */
import { resolve } from 'node:path'
import { invalid } from '../../errors.ts'

/** What SQLite calls a database without a file. */
export const IN_MEMORY = ':memory:'

/** @returns an absolute path, or `:memory:`. @throws SiltstoneError `invalid` (bad-sqlite-url) */
export function parseSqlitePlace(place: string): string {
  const rest = /^sqlite:\/\/(.*)$/i.exec(place)?.[1]
  if (rest === '' || rest === '/' || rest === `/${IN_MEMORY}`) return IN_MEMORY
  if (rest?.startsWith('/') !== true || /[?#]/.test(rest) || rest.endsWith('/')) {
    const text = `${place} names no SQLite file: write sqlite:///file.db below the working directory, or sqlite:////folder/file.db`
    throw invalid('bad-sqlite-url', text, { field: 'data' })
  }
  return resolve(rest.slice(1))
}
