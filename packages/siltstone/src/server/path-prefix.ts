/**
 * Serving below a path: `/vectors/api/v2/…` for a proxy that passes paths on as they are. Pages link relatively, so a proxy
 * that removes its prefix needs no setting.
 *
 * The probes stay at the root as well: a probe asks it directly, without the proxy.
 */
import { getPathNoStrict } from 'hono/utils/url'
import { invalid } from '../errors.ts'

const PROBES = ['/healthz', '/readyz']
/** No endpoint has it. */
const NOWHERE = '/\u0000'

/** @returns the prefix with a slash before it and none behind it; '' for `/`. @throws SiltstoneError `invalid` (path-prefix) */
export function pathPrefix(text: string): string {
  const prefix = `/${text}`.replaceAll(/\/+/g, '/').replace(/\/$/, '')
  if (/^(?:\/[\w.~-]+)*$/.test(prefix) && !/\/\.{1,2}(?:\/|$)/.test(prefix)) return prefix
  throw invalid('path-prefix', 'Give a path of letters, digits and . _ ~ -, such as /vectors.', { field: 'pathPrefix' })
}

/** @returns the path of a request below the prefix; one that no endpoint has for other requests */
export function pathBelow(prefix: string): (request: Request) => string {
  return (request) => {
    const path = getPathNoStrict(request)
    if (prefix === '' || PROBES.includes(path)) return path
    if (path === prefix) return '/'
    return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : NOWHERE
  }
}
