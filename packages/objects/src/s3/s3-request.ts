/** A request to the S3 face, taken apart: bucket and key from the path or from the host. */
import type { IncomingMessage } from 'node:http'
import { IncomingBody } from 'siltstone/internal'
import { S3Error } from './s3-error.ts'

export interface S3Request {
  method: string
  /** Decoded, as it was signed: with the bucket only if it stood in the path. */
  path: string
  /** As it was sent. */
  rawPath: string
  bucketInHost: boolean
  /** Decoded, in the order of the URL. */
  query: readonly (readonly [string, string])[]
  bucket: string | undefined
  key: string | undefined
  incoming: IncomingMessage
  /** Called before the body is read: tells a client that sent `Expect: 100-continue` to send it. */
  invite: () => void
}

/** Undefined for a parameter that is not there; empty for one without a value. */
export function parameter({ query }: Pick<S3Request, 'query'>, name: string): string | undefined {
  return query.find(([one]) => one === name)?.[1]
}

export function header({ incoming }: Pick<S3Request, 'incoming'>, name: string): string | undefined {
  const value = incoming.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/**
 * @param domains hosts below which a name is a bucket: `localhost` makes `media.localhost:9000` the bucket `media`
 * @throws S3Error InvalidURI
 */
export function s3Request(
  incoming: IncomingMessage,
  domains: readonly string[],
  invite: () => void = () => {},
): S3Request {
  const { method = 'GET', url = '/', headers } = incoming
  const mark = url.indexOf('?')
  const rawPath = mark === -1 ? url : url.slice(0, mark)
  const path = decode(rawPath)
  const query = mark === -1 ? [] : queryOf(url.slice(mark + 1))
  if (!path.startsWith('/')) throw new S3Error('InvalidURI', 'The path of the URL does not begin with a slash.')
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  const domain = domains.find((one) => host.endsWith(`.${one}`))
  const request = { method, path, rawPath, query, incoming, invite, bucketInHost: domain !== undefined }
  if (domain !== undefined)
    return { ...request, bucket: host.slice(0, -domain.length - 1), key: path.length > 1 ? path.slice(1) : undefined }
  const slash = path.indexOf('/', 1)
  const bucket = slash === -1 ? path.slice(1) : path.slice(1, slash)
  const key = slash === -1 ? '' : path.slice(slash + 1)
  return { ...request, bucket: bucket === '' ? undefined : bucket, key: key === '' ? undefined : key }
}

function queryOf(text: string): [string, string][] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [decode(name.replaceAll('+', ' ')), decode(value.join('=').replaceAll('+', ' '))]
    })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new S3Error('InvalidURI', 'The URL is not UTF-8 in percent-encoding.', { cause })
  }
}

/** The body as it is sent. An error in the middle of it leaves the connection open for the answer. */
export function incomingBytes({ incoming, invite }: Pick<S3Request, 'incoming' | 'invite'>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      invite()
      return new IncomingBody(
        incoming,
        (cause) => new S3Error('IncompleteBody', 'The connection was closed before the body had ended.', { cause }),
      )
    },
  }
}
