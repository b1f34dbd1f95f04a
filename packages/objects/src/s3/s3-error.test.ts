import { expect, it } from 'vitest'
import { invalid, outcomeUnknown, unavailable } from 'siltstone/internal'
import { s3Error } from './s3-error.ts'

it.each([
  [unavailable('disk-full', 'no room'), 'InsufficientStorage', 507],
  [unavailable('access-denied', 'no right'), 'AccessDenied', 403],
  [unavailable('throttled', 'later'), 'SlowDown', 503],
  [unavailable('io-error', 'odd'), 'ServiceUnavailable', 503],
  [outcomeUnknown('not-durable', 'perhaps'), 'ServiceUnavailable', 503],
  [invalid('anything', 'no'), 'InvalidArgument', 400],
])('answers %s in the words of S3', (error, code, status) => {
  expect(s3Error(error)).toMatchObject({ code, status, message: error.message, cause: error })
})

it('knows nothing of failures of the program', () => {
  expect(s3Error(new Error('a mistake'))).toBeUndefined()
})
