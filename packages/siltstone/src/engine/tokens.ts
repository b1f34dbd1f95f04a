/** Opaque tokens that clients send back: a position in the pages of one state, and the state that a read saw. */
import { invalid } from '../errors.ts'
import { isUlid, parseKey } from '../format/keys.ts'
import type { View } from '../log/view.ts'

export interface PageToken {
  manifestKey: string | null
  version: number
  unsequenced: { ulid: string; etag: string; sizeBytes: number }[]
  offset: number
}

export function encodePageToken(view: View, offset: number): string {
  return encode({
    m: view.manifestKey,
    v: view.version,
    u: view.unsequenced.map(({ ulid, etag, sizeBytes }) => [ulid, etag, sizeBytes]),
    o: offset,
  })
}

/**
 * @param path of the collection. Clients can forge tokens, so a token must not give access to another collection.
 * @throws SiltstoneError `invalid` bad-token
 */
export function decodePageToken(token: string, path: string): PageToken {
  const bad = () =>
    invalid('bad-token', 'the page token is not one that this collection gave; begin again without it', {
      field: 'page_token',
    })
  const json = decode(token, bad)
  const { m, v, u, o } = json
  if ((m !== null && !isManifestOf(m, path)) || !isCount(v) || !isCount(o) || !Array.isArray(u)) throw bad()
  const unsequenced = u.map((item: unknown) => {
    const [ulid, etag, sizeBytes] = Array.isArray(item) ? item : []
    if (typeof ulid !== 'string' || !isUlid(ulid) || typeof etag !== 'string' || !isCount(sizeBytes)) throw bad()
    return { ulid, etag, sizeBytes }
  })
  return { manifestKey: m, version: v, unsequenced, offset: o }
}

function isManifestOf(key: unknown, path: string): key is string {
  const parsed = typeof key === 'string' ? parseKey(key) : undefined
  return parsed?.kind === 'manifest' && parsed.path === path
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function encodeReadToken(version: number): string {
  return encode({ r: version })
}

/** @throws SiltstoneError `invalid` bad-token */
export function decodeReadToken(token: string): number {
  // The version of a read is also a token, because Chroma's clients send a number.
  if (/^\d{1,15}$/.test(token)) return Number(token)
  const bad = () =>
    invalid('bad-token', 'the read token is not one that this collection gave; read again', { field: 'read_token' })
  const { r } = decode(token, bad)
  if (!isCount(r)) throw bad()
  return r
}

function encode(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}

function decode(token: string, bad: () => Error): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
  } catch {
    throw bad()
  }
  if (typeof json !== 'object' || json === null) throw bad()
  return json as Record<string, unknown>
}
