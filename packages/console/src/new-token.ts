/** Makes a token and the entry for the server's file of tokens, which has the digest alone. */
export interface TokenEntry {
  sha256: string
  user: string
  role: string
  tenants: string[]
}

/** @throws Error where the browser gives no digests: in a page of plain HTTP that is not of this machine */
export async function newToken(wanted: {
  user: string
  role: string
  /** With commas; empty: all. */
  tenants: string
}): Promise<{ token: string; entry: TokenEntry }> {
  // The type says that it is always there.
  const subtle = globalThis.crypto.subtle as SubtleCrypto | undefined
  if (subtle === undefined) throw new Error('The browser makes digests only for pages of HTTPS or of this machine.')
  const token = hex(crypto.getRandomValues(new Uint8Array(32)))
  const digest = new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(token)))
  const named = wanted.tenants
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return {
    token,
    entry: { sha256: hex(digest), user: wanted.user, role: wanted.role, tenants: named.length === 0 ? ['*'] : named },
  }
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
