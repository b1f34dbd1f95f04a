/** A static host in memory, as hosts are: some do not keep to HTTP. */
import { gzipSync } from 'node:zlib'
import type { Fetch, FetchAnswer } from '../fetch.ts'

export interface HostTraits {
  /**
   * `ignored`: 200 and all bytes. `compressed`: gzip, cut after compression, so that no client can decompress it.
   * `truncated`: a byte too few; `empty`: none. `shifted`: other bytes than asked for, and it says so. `garbled`: the
   * right number of wrong bytes. `refused`: 416. `rejected`: no answer, as browsers have it of `compressed`.
   */
  ranges?: 'honest' | 'ignored' | 'compressed' | 'truncated' | 'empty' | 'shifted' | 'garbled' | 'refused' | 'rejected'
  /** Of another origin: only headers that CORS always shows can be read. */
  hidesHeaders?: boolean
  /** `page`: 200 and an HTML page. */
  missing?: '404' | 'page'
  /** Weak ETags, as where a host compresses. */
  weakEtags?: boolean
}

export interface HostRequest {
  path: string
  range: string | undefined
  status: number
  bytes: number
}

export interface HostedFile {
  body: Uint8Array
  etag?: string
  lastModifiedMs?: number
}

const SAFELISTED = new Set(['content-type', 'last-modified', 'cache-control', 'expires', 'content-language'])

export interface FileHost {
  fetch: Fetch
  requests: HostRequest[]
}

/** @param read the content of the file at a path, without a slash at its begin; null when there is none */
export function fileHost(read: (path: string) => Promise<HostedFile | null>, traits: HostTraits = {}): FileHost {
  const requests: HostRequest[] = []
  return {
    requests,
    fetch: async (url, { headers }) => {
      const path = decodeURIComponent(new URL(url).pathname.slice(1))
      const range = headers['Range']
      if (range !== undefined && traits.ranges === 'rejected') throw new TypeError('Failed to fetch')
      const answer = answerTo(await read(path), range, traits)
      requests.push({ path, range, status: answer.status, bytes: answer.body?.length ?? 0 })
      return asFetched(answer, traits)
    },
  }
}

interface Answer {
  status: number
  headers: Record<string, string>
  /** null: the client cannot decode it. */
  body: Uint8Array | null
}

function answerTo(
  file: HostedFile | null,
  range: string | undefined,
  { ranges = 'honest', missing = '404', weakEtags = false }: HostTraits,
): Answer {
  if (!file) {
    const page = new TextEncoder().encode('<!doctype html><title>Welcome</title>')
    const headers = { 'content-type': 'text/html; charset=utf-8' }
    return missing === 'page' ? { status: 200, headers, body: page } : { status: 404, headers, body: page }
  }
  const { body, etag = '"1"', lastModifiedMs = 0 } = file
  const headers = {
    'content-type': 'application/octet-stream',
    etag: weakEtags ? `W/${etag}` : etag,
    'last-modified': new Date(lastModifiedMs).toUTCString(),
  }
  const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  if (!asked || ranges === 'ignored') return { status: 200, headers, body }
  const start = Number(asked[1])
  const end = Math.min(Number(asked[2]) + 1, body.length)
  if (start >= body.length || ranges === 'refused')
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${body.length}` }, body: new Uint8Array(0) }
  const part = (from: number, to: number, bytes: Uint8Array | null, more: Record<string, string> = {}): Answer => ({
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${from}-${to - 1}/${body.length}`, ...more },
    body: bytes,
  })
  switch (ranges) {
    case 'compressed': {
      const packed = gzipSync(body)
      const stated = { 'content-encoding': 'gzip', 'content-range': `bytes ${start}-${end - 1}/${packed.length}` }
      return part(start, end, null, stated)
    }
    case 'truncated':
      return part(start, end, body.subarray(start, end - 1))
    case 'empty':
      return part(start, end, new Uint8Array(0))
    case 'shifted':
      return part(0, end - start, body.subarray(0, end - start))
    case 'garbled':
      return part(
        start,
        end,
        body.subarray(start, end).map((byte) => byte ^ 0x5a),
      )
    case 'honest':
    case 'rejected':
      return part(start, end, body.subarray(start, end))
  }
}

function asFetched({ status, headers, body }: Answer, { hidesHeaders = false }: HostTraits): FetchAnswer {
  return {
    status,
    headers: { get: (name) => (hidesHeaders && !SAFELISTED.has(name) ? null : (headers[name] ?? null)) },
    body: { cancel: async () => undefined },
    arrayBuffer: async () => {
      if (!body) throw new TypeError('the content cannot be decoded')
      return new Uint8Array(body).buffer
    },
  }
}
