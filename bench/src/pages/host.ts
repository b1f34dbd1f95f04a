/** A static host over HTTP/2 that counts what it sends and delays each answer, as a distant one does. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { SCRATCH } from '../places.ts'

export interface PageHost {
  origin: string
  /** Bytes of bodies, requests and, with `quietMs`, rounds of requests since the last call. */
  take(): { bytes: number; requests: number; rounds: number }
  close(): Promise<void>
}

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  json: 'application/json',
}
/** What hosts compress. The files of both candidates are compressed already. */
const COMPRESSED = new Set(['html', 'js', 'json'])

export interface PageHostOptions {
  delayMs: number
  /**
   * Instead of the delay: the answers of a round are sent together, when nothing was asked for this long. So what depends on an answer
   * is a round of its own. A browser that computes for longer between two requests makes two rounds of one.
   */
  quietMs?: number
}

export async function startPageHost(folder: string, { delayMs, quietMs }: PageHostOptions): Promise<PageHost> {
  let bytes = 0
  let requests = 0
  let rounds = 0
  let waiting: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  const afterRound = (answer: () => void, ms: number) => {
    waiting.push(answer)
    clearTimeout(timer)
    timer = setTimeout(() => {
      rounds++
      const released = waiting
      waiting = []
      for (const release of released) release()
    }, ms)
  }
  const packed = new Map<string, Buffer>()
  const server = createSecureServer(certificate(), (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'https://host').pathname))
    const file = join(folder, path)
    requests++
    const answer = () => {
      if (!existsSync(file)) {
        response.writeHead(404).end()
        return
      }
      const extension = path.slice(path.lastIndexOf('.') + 1)
      const headers = { 'content-type': TYPES[extension] ?? 'application/octet-stream' }
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      const whole = readFileSync(file)
      if (first !== undefined) {
        const part = whole.subarray(Number(first), Number(last) + 1)
        bytes += part.length
        const range = `bytes ${first}-${Number(first) + part.length - 1}/${whole.length}`
        response.writeHead(206, { ...headers, 'content-range': range }).end(part)
      } else {
        const body = COMPRESSED.has(extension) ? compressed(file, whole, packed) : whole
        bytes += body.length
        response.writeHead(200, { ...headers, ...(body !== whole && { 'content-encoding': 'br' }) }).end(body)
      }
    }
    if (quietMs === undefined) setTimeout(answer, delayMs)
    else afterRound(answer, quietMs)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = { bytes, requests, rounds }
      bytes = 0
      requests = 0
      rounds = 0
      return taken
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

function compressed(file: string, whole: Buffer, packed: Map<string, Buffer>): Buffer {
  const known = packed.get(file)
  if (known) return known
  const made = brotliCompressSync(whole)
  packed.set(file, made)
  return made
}

/** Browsers speak HTTP/2 over TLS alone. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = join(SCRATCH, 'certificate')
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
  if (!existsSync(cert)) {
    mkdirSync(folder, { recursive: true })
    const subject = ['-subj', '/CN=127.0.0.1', '-days', '3650', '-nodes']
    const args = ['req', '-x509', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert, ...subject]
    execFileSync('openssl', args, { stdio: 'ignore' })
  }
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
