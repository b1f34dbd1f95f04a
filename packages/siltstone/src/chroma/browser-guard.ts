/**
 * Keeps foreign web pages away from a server. A browser on a machine that reaches the server sends requests for every page
 * that it shows, and such a page may
 * - send *simple* requests (forms, scripts without a preflight) across sites. It cannot read the answers, but a write needs
 *   no answer. These requests carry an `Origin`, or `Sec-Fetch-Site`, that no page can forge.
 * - let its own name resolve to the server's address (DNS rebinding). The browser then takes the server for the page's own
 *   origin, and the page reads the answers, too. Its name is in `Host`.
 *
 * Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site` and are not affected.
 */
export interface BrowserGuard {
  /** Names in `Host` that are served, besides the loopback names; `*` serves all. undefined: `Host` is not checked. */
  allowedHosts?: readonly string[] | undefined
  /** Origins whose pages may send requests; `*` allows all. */
  corsOrigins?: readonly string[] | undefined
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const HOST = /^(\[[\da-f:.]+\]|[^\s:@/\\[\]]+)(?::\d{1,5})?$/i

export interface Refusal {
  code: 'foreign-host' | 'foreign-origin'
  /** A sentence with header and value. */
  problem: string
  /** How the operator of a server allows it. */
  remedy: string
}

/** @returns why the request is refused; undefined if it is not */
export function refusalOf(
  method: string,
  header: (name: string) => string | undefined,
  { allowedHosts, corsOrigins = [] }: BrowserGuard,
): Refusal | undefined {
  const host = header('host')
  if (allowedHosts !== undefined && host !== undefined && !isServed(host, allowedHosts)) return foreignHost(host)
  if (SAFE.has(method) || corsOrigins.includes('*')) return undefined
  const origin = header('origin')
  if (origin !== undefined) {
    return corsOrigins.includes(origin) || isSameHost(origin, host) ? undefined : foreignOrigin('Origin', origin)
  }
  const site = header('sec-fetch-site')
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  return foreignOrigin('Sec-Fetch-Site', site)
}

/** Whether a browser sent the request for a page. */
export function isFromPage(header: (name: string) => string | undefined): boolean {
  return header('origin') !== undefined || header('sec-fetch-site') !== undefined
}

/** @param host a name or an address, without a port */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/i.test(host)
}

function isServed(host: string, allowed: readonly string[]): boolean {
  if (allowed.includes('*')) return true
  const name = HOST.exec(host)?.[1]?.toLowerCase()
  return name !== undefined && (isLoopback(name) || allowed.some((one) => one.toLowerCase() === name))
}

/** The scheme is not compared: TLS often ends in front of the server. */
function isSameHost(origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin)
  if (url === null || host === undefined) return false
  const own = URL.parse(`${url.protocol}//${host}`)
  return own !== null && own.host !== '' && own.host === url.host
}

function foreignHost(host: string): Refusal {
  return {
    code: 'foreign-host',
    problem: `The header Host is '${shown(host)}', but only localhost, 127.0.0.1 and [::1] are served, so that no web page can reach this address under a name of its own`,
    remedy: `Use one of them, or start the server with --allowed-hosts ${shown(HOST.exec(host)?.[1] ?? '<name>')}, or with tokens`,
  }
}

function foreignOrigin(header: string, value: string): Refusal {
  return {
    code: 'foreign-origin',
    problem: `The header ${header} is '${shown(value)}': the request comes from a web page of another origin`,
    remedy: `Start the server with --cors ${header === 'Origin' && value !== 'null' ? shown(value) : '<origin of the page>'} to allow it`,
  }
}

function shown(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value
}
