/** Errors as clients of the Hub know them: a status, `X-Error-Code`, and `X-Error-Message` in ASCII. */
import type { SiltstoneError } from 'siltstone/internal'
import { json, retryAfter, statusOf } from '../http/answers.ts'

const CODES: Readonly<Record<string, string>> = {
  'repo-not-found': 'RepoNotFound',
  'revision-not-found': 'RevisionNotFound',
  'entry-not-found': 'EntryNotFound',
}

export function hubFailure(error: SiltstoneError): Response {
  const { code, message, kind } = error
  // A repository that needs a token looks absent to clients without one; a wrong token is said to be wrong.
  const isUnsigned = code === 'token-missing'
  const status = kind === 'unauthorized' ? 401 : code === 'stale-parent' ? 412 : statusOf(error)
  const errorCode = isUnsigned ? 'RepoNotFound' : CODES[code]
  const text = kind === 'unauthorized' && !isUnsigned ? 'Invalid credentials in Authorization header' : message
  return json({ error: text }, status, {
    ...(errorCode !== undefined && { 'x-error-code': errorCode }),
    'x-error-message': text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1_000),
    ...retryAfter(error),
  })
}
