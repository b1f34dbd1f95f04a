/**
 * A proxy between Chroma clients on this machine and a server that accepts only signed requests, as AWS's function URLs
 * do: it signs each request, forwards it, and returns the answer unchanged.
 */
import { serve, type ServerType } from '@hono/node-server'
import { isLoopback, refusalOf } from '../chroma/browser-guard.ts'
import { isSiltstoneError } from '../errors.ts'
import type { SignRequest } from '../drivers/aws/sign-request.ts'
import type { Logger } from '../ports/telemetry.ts'
import { urlOf } from './url.ts'

export interface ProxyOptions {
  /** The server's base URL; the paths of requests are appended to its path. */
  target: URL
  sign: SignRequest
  host: string
  /** 0 chooses a free port. */
  port: number
  log: Logger
}

export interface RunningProxy {
  url: string
  close(): Promise<void>
}

/**
 * Headers of one connection, or set again by the next request; `authorization` holds the signature. Those of a browser
 * were checked here, and name an origin that the server does not know.
 */
const NOT_SENT_ON = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'origin',
  'sec-fetch-site',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export async function startProxy({ target, sign, host, port, log }: ProxyOptions): Promise<RunningProxy> {
  const base = target.pathname.replace(/\/$/, '')
  const allowedHosts = isLoopback(host) ? [] : undefined
  const answer = async (request: Request): Promise<Response> => {
    const refusal = refusalOf(request.method, (name) => request.headers.get(name) ?? undefined, { allowedHosts })
    if (refusal) {
      const message = `${refusal.problem}. The proxy adds this user's signature, so it serves programs, and no web pages`
      return Response.json({ error: 'ChromaError', message }, { status: 403 })
    }
    const { pathname, search } = new URL(request.url)
    const url = new URL(`${base}${pathname}${search}`, target)
    try {
      const body = new Uint8Array(await request.arrayBuffer())
      const headers = await sign({ method: request.method, url, headers: forwardedHeaders(request.headers), body })
      const bodyless = request.method === 'GET' || request.method === 'HEAD'
      const response = await fetch(url, { method: request.method, headers, ...(!bodyless && { body }) })
      return new Response(response.body, { status: response.status, headers: forwardedHeaders(response.headers) })
    } catch (error) {
      log.warn('proxy_failed', { url: url.href, error: String(error) })
      const signing = isSiltstoneError(error, 'forbidden')
      const message = signing ? error.message : `${target.host} did not answer: ${String(error)}`
      return Response.json(
        { error: signing ? 'NoCredentials' : 'BadGateway', message },
        { status: signing ? 403 : 502 },
      )
    }
  }
  return new Promise((resolve, reject) => {
    const server: ServerType = serve({ fetch: answer, hostname: host, port }, (info) => {
      server.off('error', reject)
      const close = () => new Promise<void>((closed) => server.close(() => closed()))
      resolve({ url: urlOf(host, info.port), close })
    })
    server.once('error', reject)
  })
}

function forwardedHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !NOT_SENT_ON.has(name.toLowerCase())))
}
