/** How the command line reports a failure: one line, a remedy, an exit code; a stack trace only with --debug. */
import { CommanderError } from 'commander'
import { type ErrorKind, isSiltstoneError } from '../errors.ts'

/**
 * Exit codes: 0 done · 1 failed · 2 wrong usage or input · 3 not found · 4 conflict · 5 unavailable or of unknown outcome ·
 * 6 damaged data
 */
const CODES: Record<ErrorKind, number> = {
  invalid: 2,
  'not-found': 3,
  conflict: 4,
  unauthorized: 1,
  forbidden: 1,
  unavailable: 5,
  unknown: 5,
  corrupt: 6,
  unsupported: 1,
}

export const EXIT_CODES = `Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 not found, 4 conflict, 5 unavailable, 6 damaged data.`

const REMEDIES: Partial<Record<ErrorKind, string>> = {
  conflict: 'Read the current state and decide again.',
  unavailable: 'Try again in a moment.',
  unknown: 'The write may have happened: read before you write again.',
  corrupt: 'Run "siltstone verify" to see what is damaged, then "siltstone repair".',
}

const REMEDY_BY_CODE: Record<string, string> = {
  'collection-missing': '"siltstone collections list" shows the collections.',
  'collection-exists': 'Choose another name, or use the existing collection.',
  'disk-full': 'Free some space; no acknowledged write is lost.',
  'read-only': 'Make the directory writable, or choose another with --data.',
  'access-denied': 'Get the permission, or choose another store with --data.',
  'back-pressure': 'Compaction lags behind: run "siltstone compact", or keep a server running.',
  'dimension-mismatch': 'All vectors of a collection have the dimension of its first one.',
  'port-in-use': 'See --port, --objects-port and --registry-port.',
  'coordination-damaged': 'No written record is lost.',
  // Of a migration's source, of which the store's own commands know nothing.
  'source-damaged':
    'Restore the source from a backup, or leave out what cannot be read: see --skip and --embed-missing.',
  gone: '"siltstone snapshots list" shows the versions that are kept.',
}

export interface ShownError {
  kind: string
  code: string
  message: string
  remedy: string | undefined
  exitCode: number
}

export function describeError(error: unknown): ShownError {
  if (isSiltstoneError(error)) {
    const { kind, code, message } = error
    const known = REMEDY_BY_CODE[code] ?? REMEDIES[kind]
    // Many messages name a command themselves.
    const remedy = known && !message.includes('siltstone ') ? known : undefined
    // The user has to install a package: a usage error, not a failure.
    const exitCode = code === 'package-missing' ? CODES.invalid : CODES[kind]
    return { kind, code, message, remedy, exitCode }
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '')
    return { kind: 'invalid', code: error.code, message, remedy: 'Add --help to see the usage.', exitCode: 2 }
  }
  const message = error instanceof Error ? error.message : String(error)
  return {
    kind: 'failure',
    code: 'unexpected',
    message,
    remedy: 'Run the command again with --debug for details.',
    exitCode: 1,
  }
}

export function errorText(error: unknown, options: { json: boolean; debug: boolean }): string {
  const shown = describeError(error)
  const stack = options.debug && error instanceof Error ? `${stackOf(error)}\n` : ''
  if (options.json) return `${stack}${JSON.stringify({ error: shown })}\n`
  return `${stack}error: ${shown.message}\n${shown.remedy === undefined ? '' : `${shown.remedy}\n`}`
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
