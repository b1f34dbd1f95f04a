/**
 * Conditional puts whose answers can be lost.
 *
 * Each put carries a unique token in the object's user metadata. An attempt that ends without a clear answer (a lost
 * connection, a timeout, any 5xx but NotImplemented, a 409) may have been applied, so if a later attempt is refused, the first one may be
 * the reason. Then the object itself is read:
 *
 * | the object has   | and before only 409s        | and before some answer was missing        |
 * |------------------|-----------------------------|-------------------------------------------|
 * | our token        | ours: `ok`                  | ours: `ok`                                |
 * | another token    | refused                     | `unknown`: ours may have been replaced    |
 * | is not there     | refused                     | `unknown`: ours may have been deleted     |
 * | may not be read  | refused                     | refused (a bare producer; its keys are its own) |
 *
 * An attempt that arrives after this code gave up, or after a later attempt was answered, is still subject to its
 * condition: it can take effect only if neither another writer nor another attempt did. A refusal of the first attempt
 * is unambiguous. The layers above never treat `unknown` as either outcome; they read.
 */
import { isSiltstoneError } from '../../errors.ts'
import type { PutResult } from '../../ports/object-store.ts'
import { type Doing, openError, outcomeOf, refusedError } from './failure.ts'
import type { CallOptions, Deadline, Requests } from './aws-requests.ts'

/** The condition failed; `gone`: the upload that was to be completed no longer exists. */
export type TryResult = PutResult | { status: 'gone' }

export interface Settling {
  options: CallOptions
  token: string
  /** One request. Throws what the SDK throws. */
  attempt(deadline: Deadline): Promise<TryResult>
  look(): Promise<{ token: string | undefined; etag: string } | undefined>
}

const ATTEMPTS = 4

/** @throws SiltstoneError `unknown`; `unavailable` and others if certainly nothing was applied */
export async function settle(requests: Requests, { options, token, attempt, look }: Settling): Promise<TryResult> {
  let conflicts = 0
  let lost = 0
  for (let count = 1; ; count++) {
    let failure: unknown
    try {
      const result = await requests.once(options, attempt)
      if (result.status === 'ok' || conflicts + lost === 0) return result
      const found = await lookAt(look, options)
      if (found === 'unreadable') return result
      if (found?.token === token) return { status: 'ok', etag: found.etag }
      if (lost === 0) return result
      throw openError(new Error(`a later try was answered ${result.status}`), options)
    } catch (error) {
      if (isSiltstoneError(error)) throw error
      failure = error
    }
    const outcome = outcomeOf(failure)
    if (outcome === 'open') lost++
    if (outcome === 'conflict') conflicts++
    if (outcome === 'refused' || count >= ATTEMPTS)
      throw conflicts + lost > 0 ? openError(failure, options) : refusedError(failure, options)
    await requests.backOff(failure, count)
  }
}

async function lookAt(look: Settling['look'], options: Doing) {
  try {
    return await look()
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    if (error.code === 'access-denied') return 'unreadable'
    throw openError(error, options)
  }
}
