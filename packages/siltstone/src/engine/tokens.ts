/** Opaque tokens that clients hand back: a place in a page of one state, and the state that a read saw. */
import { invalid } from '../errors.ts'
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

/** @throws SiltstoneError `invalid` bad-token */
export function decodePageToken(token: string): PageToken {
  const bad = () =>
    invalid('bad-token', 'the page token is not one that this collection gave; begin again without it', {
      field: 'page_token',
    })
  const json = decode(token, bad)
  const { m, v, u, o } = json
  if (
    (m !== null && typeof m !== 'string') ||
    !Number.isSafeInteger(v) ||
    !Number.isSafeInteger(o) ||
    !Array.isArray(u)
  )
    throw bad()
  const unsequenced = u.map((item: unknown) => {
    const [ulid, etag, sizeBytes] = Array.isArray(item) ? item : []
    if (typeof ulid !== 'string' || typeof etag !== 'string' || typeof sizeBytes !== 'number') throw bad()
    return { ulid, etag, sizeBytes }
  })
  return { manifestKey: m as string | null, version: v as number, unsequenced, offset: o as number }
}

export function encodeReadToken(version: number): string {
  return encode({ r: version })
}

/** @throws SiltstoneError `invalid` bad-token */
export function decodeReadToken(token: string): number {
  // The version of a read is a token too: Chroma's clients carry a number.
  if (/^\d{1,15}$/.test(token)) return Number(token)
  const bad = () =>
    invalid('bad-token', 'the read token is not one that this collection gave; read again', { field: 'read_token' })
  const { r } = decode(token, bad)
  if (!Number.isSafeInteger(r) || (r as number) < 0) throw bad()
  return r as number
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
