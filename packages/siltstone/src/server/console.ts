/**
 * Serves the web console of `@siltstone/console` at `/`. It is a client like any other: its pages ask the same API with the
 * same token, so it can do nothing that the API does not allow.
 *
 * The policy allows scripts and styles of this server alone, no inline code, and requests to this server alone. The page is
 * revalidated each time; files with a hash of their content in the name may be kept for ever.
 */
import { createHash } from 'node:crypto'
import type { Hono } from 'hono'
import { importOptional } from '../host/optional-package.ts'
import { isSiltstoneError } from '../errors.ts'

/** A file as `@siltstone/console` gives it. */
export interface ConsoleFile {
  /** `index.html`, or a name with a hash of the content. */
  name: string
  type: string
  bytes: Uint8Array
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HASHED = /-[A-Z0-9]{8}\.(?:js|css)$/

/** @returns the files of the console; undefined where the package is not installed */
export async function loadConsole(): Promise<ConsoleFile[] | undefined> {
  try {
    const { consoleFiles } = (await importOptional('@siltstone/console', 'The web console')) as {
      consoleFiles: () => Promise<ConsoleFile[]>
    }
    return await consoleFiles()
  } catch (error) {
    if (isSiltstoneError(error) && error.code === 'package-missing') return undefined
    throw error
  }
}

export function mountConsole(app: Hono, files: readonly ConsoleFile[]): void {
  for (const { name, type, bytes } of files) {
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    const headers: Record<string, string> = {
      'content-type': type,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag,
    }
    app.get(name === 'index.html' ? '/' : `/${name}`, (c) =>
      c.req.header('if-none-match') === etag
        ? c.body(null, 304, headers)
        : c.body(bytes as Uint8Array<ArrayBuffer>, 200, headers),
    )
  }
}
