/** A static host on 127.0.0.1 that misbehaves as it is told to, and counts what it sends. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface HostTraits {
  /** As in the driver's tests: `compressed` sends parts of gzip with 206, as some hosts do. */
  ranges?: 'honest' | 'ignored' | 'compressed' | 'truncated'
  /** Pages of other origins may read the files. */
  cors?: boolean
  /** Answers a missing file with 200 and a page. */
  pages?: boolean
  /** Sent with HTML. */
  csp?: string
}

export interface StaticHost {
  origin: string
  /** What was asked for, since the host began. */
  requests: { method: string; path: string; range: string | undefined; status: number }[]
  close(): Promise<void>
}

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  json: 'application/json',
  css: 'text/css',
  svg: 'image/svg+xml',
  png: 'image/png',
}

export type ReadFile = (path: string) => Promise<Uint8Array | undefined>

export async function startHost(read: ReadFile, traits: HostTraits = {}): Promise<StaticHost> {
  const requests: StaticHost['requests'] = []
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname.slice(1))
    const { range } = request.headers
    await answer({ path, range, file: await read(path), traits, response })
    requests.push({ method: request.method ?? '', path, range, status: response.statusCode })
  }
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

interface Asked {
  path: string
  range: string | undefined
  file: Uint8Array | undefined
  traits: HostTraits
  response: ServerResponse
}

async function answer({ path, range, file, traits, response }: Asked): Promise<void> {
  const { ranges = 'honest', cors, pages, csp } = traits
  if (cors) response.setHeader('access-control-allow-origin', '*')
  if (!file) {
    response.writeHead(pages ? 200 : 404, { 'content-type': 'text/html' }).end('<!doctype html><title>Welcome</title>')
    return
  }
  const extension = path.slice(path.lastIndexOf('.') + 1)
  response.setHeader('content-type', TYPES[extension] ?? 'application/octet-stream')
  if (extension === 'html' && csp !== undefined) response.setHeader('content-security-policy', csp)
  const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  if (!asked || ranges === 'ignored') {
    // Without Content-Length, as several hosts send files.
    response.writeHead(200)
    response.write(file)
    response.end()
    return
  }
  const start = Number(asked[1])
  const end = Math.min(Number(asked[2]) + 1, file.length)
  if (start >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
    return
  }
  const stated = { 'content-range': `bytes ${start}-${end - 1}/${file.length}`, 'accept-ranges': 'bytes' }
  if (ranges === 'compressed') {
    const packed = gzipSync(file)
    response.writeHead(206, { ...stated, 'content-encoding': 'gzip' }).end(packed.subarray(start, end))
  } else response.writeHead(206, stated).end(file.subarray(start, ranges === 'truncated' ? end - 1 : end))
}
