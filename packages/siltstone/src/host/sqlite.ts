import { unsupported } from '../errors.ts'

type Sqlite = typeof import('node:sqlite')

/**
 * SQLite, which the runtime brings along; loaded when it is first needed, so that a runtime without it can say so.
 * @throws SiltstoneError `unsupported` (sqlite-missing)
 */
export function sqlite(): Sqlite {
  const module = process.getBuiltinModule('node:sqlite') as Sqlite | undefined
  if (module) return module
  throw unsupported(
    'sqlite-missing',
    'A store in a directory needs the module node:sqlite, which this runtime does not have: use Node 22.16, Bun 1.4 or Deno 2.9, or newer.',
  )
}
