/**
 * Requests that come through a proxy. A proxy may replace `Host` by the address of this server and tell the original one in
 * `X-Forwarded-Host`; without it, the pages of the console look like those of another site (`chroma/browser-guard.ts`).
 *
 * The header is believed from the addresses of `--trusted-proxy` alone: anybody else could name any host. When several
 * proxies have added values, the last one counts, which the trusted proxy itself has written. Nothing else that proxies tell
 * (`X-Forwarded-For`, `X-Forwarded-Proto`, `Forwarded`) decides anything here, so it is not read.
 */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { invalid } from '../errors.ts'

const FAMILY = { 4: 'ipv4', 6: 'ipv6' } as const
const BITS = { 4: 32, 6: 128 } as const

/** @returns the text. @throws SiltstoneError `invalid` (bad-address) */
export function proxyAddress(text: string): string {
  addTo(new BlockList(), text)
  return text
}

/** @returns a function that replaces `Host` in requests of the proxies; @throws SiltstoneError `invalid` (bad-address) */
export function forwardedHost(proxies: readonly string[]): (incoming: IncomingMessage) => void {
  const trusted = new BlockList()
  for (const one of proxies) addTo(trusted, one)
  return (incoming) => {
    const host = lastOf(incoming.headers['x-forwarded-host'])
    if (host === undefined || !isTrusted(trusted, incoming.socket.remoteAddress)) return
    incoming.headers.host = host
    const { rawHeaders } = incoming
    for (let i = 0; i < rawHeaders.length; i += 2)
      if ((rawHeaders[i] as string).toLowerCase() === 'host') rawHeaders[i + 1] = host
  }
}

function addTo(list: BlockList, text: string): void {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  if (rest.length === 0 && (version === 4 || version === 6)) {
    if (bits === undefined) return list.addAddress(address, FAMILY[version])
    if (/^\d{1,3}$/.test(bits) && Number(bits) <= BITS[version])
      return list.addSubnet(address, Number(bits), FAMILY[version])
  }
  throw invalid('bad-address', 'Give addresses or networks, such as 10.0.0.7 or 10.0.0.0/8.', { field: 'trustedProxy' })
}

function isTrusted(list: BlockList, address = ''): boolean {
  // An IPv4 client of a socket for both families.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  const version = isIP(plain)
  return (version === 4 || version === 6) && list.check(plain, FAMILY[version])
}

function lastOf(header: string | string[] | undefined): string | undefined {
  const text = (Array.isArray(header) ? header.join(',') : header)?.split(',').at(-1)?.trim()
  return text === '' ? undefined : text
}
