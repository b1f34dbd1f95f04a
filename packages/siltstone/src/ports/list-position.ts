import { fromBase64, toBase64Url, utf8Decode, utf8Encode } from '#codec'
import { invalid } from '../errors.ts'
import { checkPrefix, compareKeys } from './object-key.ts'
import type { ListOptions } from './object-store.ts'

/** Where a page of `list` begins: after a key, or after all keys under a prefix that was already listed. */
export type ListPosition = { afterKey: string } | { afterPrefix: string }

export interface ListRequest {
  prefix: string
  limit: number
  delimited: boolean
  etags: boolean
  from: ListPosition
}

export const MAX_LIST_LIMIT = 1000

/**
 * The options of `list`, checked and with defaults applied. `continuation` takes precedence over `startAfter`.
 * @throws SiltstoneError `invalid` (bad-prefix, bad-limit, bad-continuation)
 */
export function listRequest(prefix: string, options: ListOptions = {}): ListRequest {
  checkPrefix(prefix)
  const limit = options.limit ?? MAX_LIST_LIMIT
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIST_LIMIT) {
    throw invalid('bad-limit', `The limit of a listing must be 1 to ${MAX_LIST_LIMIT}, not ${limit}.`, {
      field: 'limit',
    })
  }
  return {
    prefix,
    limit,
    delimited: options.delimiter !== undefined,
    etags: options.etags ?? false,
    from:
      options.continuation === undefined
        ? { afterKey: options.startAfter ?? '' }
        : parseContinuation(options.continuation),
  }
}

/** An opaque token: base64url of a letter that says which position, and the text. */
export function continuationOf(position: ListPosition): string {
  const text = 'afterKey' in position ? `k${position.afterKey}` : `p${position.afterPrefix}`
  return toBase64Url(utf8Encode(text))
}

/** @throws SiltstoneError `invalid` (bad-continuation) */
export function parseContinuation(token: string): ListPosition {
  const text = utf8Decode(fromBase64(token))
  if (text.startsWith('k')) return { afterKey: text.slice(1) }
  if (text.startsWith('p')) return { afterPrefix: text.slice(1) }
  throw invalid('bad-continuation', 'The continuation does not come from a page of this store.', {
    field: 'continuation',
  })
}

/** Whether a key comes after the position. */
export function keyIsAfter(key: string, position: ListPosition): boolean {
  if ('afterKey' in position) return compareKeys(key, position.afterKey) > 0
  return compareKeys(key, position.afterPrefix) > 0 && !key.startsWith(position.afterPrefix)
}

/** False only when no key that begins with `prefix` can come after the position. */
export function someKeyMayBeAfter(prefix: string, position: ListPosition): boolean {
  if ('afterKey' in position) {
    return compareKeys(prefix, position.afterKey) > 0 || position.afterKey.startsWith(prefix)
  }
  if (prefix.startsWith(position.afterPrefix)) return false
  return compareKeys(prefix, position.afterPrefix) > 0 || position.afterPrefix.startsWith(prefix)
}

/** The part of `key` up to and with the first slash after `prefix`; undefined when there is none. */
export function groupOf(key: string, prefix: string): string | undefined {
  const slash = key.indexOf('/', prefix.length)
  return slash === -1 ? undefined : key.slice(0, slash + 1)
}
