/** The two ways to a server: the standard streams of this process, and requests over HTTP. */
import { type AuthInfo, createMcpHandler } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Scope } from './scope.ts'
import { createServer } from './server.ts'

/**
 * Serves the client at stdin and stdout, which must be used for nothing else.
 * @returns when the client has closed its end, or the signal is aborted
 */
export async function serveStandardStreams(scope: Scope, signal?: AbortSignal): Promise<void> {
  const handle = serveStdio(() => createServer(scope), { onerror: (error) => scope.onError(error) })
  await new Promise<void>((resolve) => {
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
  await handle.close()
}

/** Answers one request of a client with this scope. The caller has checked `Origin`, `Host` and the token. */
export type HttpHandler = (request: Request, scope: Scope) => Promise<Response>

/** @param onError reports requests that were refused and faults */
export function httpHandler(onError: (error: unknown) => void): HttpHandler {
  const handler = createMcpHandler(({ authInfo }) => createServer((authInfo as AuthInfo & { scope: Scope }).scope), {
    onerror: onError,
  })
  return (request, scope) => {
    const authInfo: AuthInfo & { scope: Scope } = { token: '', clientId: '', scopes: [], scope }
    return handler.fetch(request, { authInfo })
  }
}
