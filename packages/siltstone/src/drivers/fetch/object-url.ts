/** Where the objects of a host lie. */
import { invalid } from '../../errors.ts'

/** Pages and workers have one; elsewhere, relative addresses mean nothing. */
declare const location: { href?: string } | undefined

/**
 * The folder that an address names. A slash at its end makes no difference, nor does the name of a file in it that
 * ends with `.json`; a query and a fragment are left out.
 * @throws SiltstoneError `invalid` (bad-url)
 */
export function baseUrlOf(address: string | URL): URL {
  let url: URL
  try {
    url = new URL(address, typeof location === 'undefined' ? undefined : location?.href)
  } catch (cause) {
    throw bad(address, cause)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad(address)
  url.search = ''
  url.hash = ''
  url.pathname = url.pathname.replace(/\/[^/]*\.json$/, '/').replace(/\/*$/, '/')
  return url
}

function bad(address: string | URL, cause?: unknown) {
  return invalid('bad-url', `${JSON.stringify(String(address))} is not the http(s) address of a folder`, {
    field: 'url',
    cause,
  })
}

/** Hosts decode each component of a path, so what is special in an address is encoded. */
export function urlOfKey(base: URL, key: string): string {
  return base.href + key.split('/').map(encodeURIComponent).join('/')
}
