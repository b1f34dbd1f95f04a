/**
 * Serves the web console of `@siltstone/console` at `/`. It is a client like any other: its pages ask the same API with the
 * same token, so it can do nothing that the API does not allow.
 *
 * The policy allows scripts and styles of this server alone, no inline code, and requests to this server alone. The page is
 * revalidated each time; files with a hash of their content in the name may be kept forever.
 */
import { createHash } from 'node:crypto'
import type { Context, Hono } from 'hono'
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
const NAME = /^\/[\w-]+\.(?:js|css|svg)$/

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

/** Loads files when the first page is asked for, so that a server starts without them. */
export type LoadConsole = () => Promise<readonly ConsoleFile[] | undefined>

/**
 * To be mounted after all other endpoints: it answers every path of one part that is a file. Without files, / leads to /docs.
 * @param pathPrefix everything is below it; pages link relatively, so the console needs the slash behind it
 */
export function mountConsole(app: Hono, load: LoadConsole, pathPrefix = ''): void {
  let loading: Promise<Map<string, ConsoleFile> | undefined> | undefined
  const filesByPath = () => {
    loading ??= byPath(load)
    // A failure is not kept: the next request tries again.
    loading.catch(() => (loading = undefined))
    return loading
  }
  app.get('/', async (c) => {
    const { pathname, search } = new URL(c.req.url)
    if (!pathname.endsWith('/')) return c.redirect(`${pathPrefix}/${search}`)
    const page = (await filesByPath())?.get('/')
    return page === undefined ? c.redirect(`${pathPrefix}/docs`) : answer(c, page)
  })
  app.get('/:file', async (c) => {
    const file = NAME.test(c.req.path) ? (await filesByPath())?.get(c.req.path) : undefined
    return file === undefined ? c.notFound() : answer(c, file)
  })
}

async function byPath(load: LoadConsole): Promise<Map<string, ConsoleFile> | undefined> {
  const files = await load()
  return files && new Map(files.map((file) => [file.name === 'index.html' ? '/' : `/${file.name}`, file]))
}

function answer(c: Context, { name, type, bytes }: ConsoleFile): Response {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  const headers: Record<string, string> = {
    'content-type': type,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag,
  }
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers)
  return c.body(bytes as Uint8Array<ArrayBuffer>, 200, headers)
}
