import {
  invalid,
  isSiltstoneError,
  notFound,
  outcomeUnknown,
  type SiltstoneError,
  unavailable,
  unsupported,
} from '../errors.ts'

export function fileErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The path, or a part of it, does not exist. */
export function isMissing(error: unknown): boolean {
  const code = fileErrorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** A disk or a quota is full: of the store, or of the folder for temporary files. */
export function isDiskFull(error: unknown): boolean {
  if (isSiltstoneError(error)) return error.code === 'disk-full'
  const code = fileErrorCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Too many files are open in this process or on the machine. The condition passes by itself. */
export function isShortOfFiles(error: unknown): boolean {
  const code = fileErrorCode(error)
  return code === 'EMFILE' || code === 'ENFILE' || code === 'EAGAIN'
}

export interface FileFailure {
  /** The file or directory at fault. */
  path: string
  /** What was being done, for the sentence "Cannot … PATH": `write`. */
  doing: string
  key?: string
}

/**
 * The public error for a failed call of the file system that had no visible effect.
 *
 * | system             | error                                       |
 * |--------------------|---------------------------------------------|
 * | ENOSPC, EDQUOT     | unavailable disk-full                       |
 * | EFBIG              | unavailable disk-full                       |
 * | EROFS              | unavailable read-only                       |
 * | EACCES, EPERM      | unavailable access-denied                   |
 * | EMFILE, ENFILE     | unavailable too-many-open-files             |
 * | ENOTDIR, EISDIR, … | invalid key-conflict                        |
 * | ENAMETOOLONG, ELOOP| invalid bad-key                             |
 * | EXDEV, ENOTSUP, …  | unsupported filesystem                      |
 * | ENOENT             | not-found file-missing                      |
 * | any other          | unavailable io-error                        |
 */
export function fileError(cause: unknown, { path, doing, key }: FileFailure): SiltstoneError {
  if (isSiltstoneError(cause)) return cause
  const details = key === undefined ? { cause } : { cause, key }
  const cannot = `Cannot ${doing} ${path}`
  switch (fileErrorCode(cause) ?? '') {
    case 'ENOSPC':
    case 'EDQUOT':
      return unavailable(
        'disk-full',
        `${cannot}: the disk or quota is full. Nothing was changed; free some space and try again.`,
        details,
      )
    case 'EFBIG':
      return unavailable(
        'disk-full',
        `${cannot}: the file would be larger than this process or file system allows. Nothing was changed; raise the ` +
          `limit (ulimit -f), or write fewer records at once.`,
        details,
      )
    case 'EROFS':
      return unavailable('read-only', `${cannot}: the file system is mounted read-only.`, details)
    case 'EACCES':
    case 'EPERM':
      return unavailable(
        'access-denied',
        `${cannot}: this user may not. Give it the right to read and write there.`,
        details,
      )
    case 'EMFILE':
    case 'ENFILE':
    case 'EAGAIN':
      return unavailable('too-many-open-files', `${cannot}: too many open files. Raise the limit (ulimit -n).`, {
        ...details,
        retryAfterMs: 100,
      })
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return invalid(
        'key-conflict',
        `${cannot}: on a directory one name cannot be an object and a folder of objects.`,
        details,
      )
    case 'ENAMETOOLONG':
      return invalid('bad-key', `${cannot}: the path is too long for this file system.`, details)
    case 'ELOOP':
      return invalid('bad-key', `${cannot}: its symbolic links lead in a circle, or are too many.`, details)
    case 'EXDEV':
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'ENOSYS':
    case 'EMLINK':
      return unsupported(
        'filesystem',
        `${cannot}: this file system lacks hard links. Use a local one (ext4, xfs, btrfs, APFS).`,
        details,
      )
    case 'ENOENT':
      return notFound('file-missing', `${cannot}: there is no such file.`, details)
    default:
      return unavailable('io-error', `${cannot}: ${cause instanceof Error ? cause.message : String(cause)}`, details)
  }
}

/** For a failure after the object became visible: it may or may not survive a crash of the machine. */
export function notDurable(cause: unknown, { path, doing, key }: FileFailure): SiltstoneError {
  return outcomeUnknown(
    'not-durable',
    `The object is visible, but it may not survive a crash: cannot ${doing} ${path}. Read it before writing again.`,
    key === undefined ? { cause } : { cause, key },
  )
}
