/**
 * Token authentication: the entry of a token defines what its requests may do.
 *
 * ```json
 * [
 *   { "token": "s3cret", "user": "ops", "role": "admin", "tenants": ["*"] },
 *   { "sha256": "<64 hexadecimal digits>", "user": "app", "role": "write", "tenants": ["acme"], "databases": ["prod"] }
 * ]
 * ```
 * Without `databases`, the token has access to all databases of its tenants. Clients send a token in `x-chroma-token` or
 * as a bearer token in `Authorization`. Only SHA-256 digests are kept, and all of them are compared in constant time, so
 * neither the time of an answer nor a dump of the configuration reveals a token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import type { Authenticator, Identity } from '../chroma/options.ts'
import { invalid, isSiltstoneError, unauthorized } from '../errors.ts'
import { schemaIssue } from '../schema-issue.ts'

const name = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const names = v.pipe(v.array(name), v.nonEmpty('must not be empty'))
const entrySchema = v.pipe(
  v.strictObject({
    token: v.optional(name),
    sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits'))),
    user: name,
    role: v.picklist(['read', 'write', 'admin']),
    tenants: names,
    databases: v.optional(names, ['*']),
  }),
  v.check((entry) => (entry.token === undefined) !== (entry.sha256 === undefined), 'needs either token or sha256'),
)
const fileSchema = v.pipe(v.array(entrySchema), v.nonEmpty('must not be empty'))

interface TokenEntry {
  digest: Uint8Array
  identity: Identity
}

/**
 * @param text of the file or the environment variable `SILTSTONE_TOKENS`
 * @throws SiltstoneError `invalid` (bad-tokens), which names the entry but never the token
 */
export function tokenAuthenticator(text: string): Authenticator {
  const entries = parseTokens(text)
  return {
    identities: () => entries.map(({ identity }) => identity),
    identify(header) {
      const token = presentedToken(header)
      if (token === undefined) throw missingToken()
      const digest = sha256(token)
      let found: Identity | undefined
      for (const entry of entries) if (timingSafeEqual(entry.digest, digest)) found = entry.identity
      if (found === undefined) throw unauthorized('token-unknown', 'The token is not valid')
      return found
    },
  }
}

/**
 * With the accounts of a registry: what is no token of the server may be one of an account.
 * @param identify whose token of an account it is
 */
export function withAccounts(
  operators: Authenticator | undefined,
  identify: (token: string) => Promise<Identity>,
): Authenticator {
  return {
    identities: () => operators?.identities() ?? [],
    identify(header) {
      const token = presentedToken(header)
      if (token === undefined) throw missingToken()
      try {
        if (operators !== undefined) return operators.identify(header)
      } catch (error) {
        if (!isSiltstoneError(error, 'unauthorized')) throw error
      }
      return identify(token)
    },
  }
}

function parseTokens(text: string): TokenEntry[] {
  const parsed = v.safeParse(fileSchema, parseJson(text))
  if (!parsed.success) {
    const { path, problem } = schemaIssue(parsed.issues)
    const where = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
    throw badTokens(`${where || 'the list'}: ${problem}`)
  }
  const entries = parsed.output.map(({ token, sha256: hex, user, role, tenants, databases }) => ({
    digest: token === undefined ? Buffer.from(hex ?? '', 'hex') : sha256(token),
    identity: { userId: user, role, tenants: allOr(tenants), databases: allOr(databases) },
  }))
  const digests = entries.map(({ digest }) => Buffer.from(digest).toString('hex'))
  const duplicate = digests.findIndex((digest, i) => digests.indexOf(digest) !== i)
  if (duplicate >= 0) throw badTokens(`[${duplicate}]: another entry has the same token; remove one`)
  return entries
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without the parser's message and cause, which quote the text and might reveal a token.
    throw badTokens('the text is not JSON')
  }
}

function badTokens(detail: string): Error {
  return invalid('bad-tokens', `The tokens are not valid: ${detail}`, { field: 'tokens' })
}

function allOr(list: readonly string[]): readonly string[] | '*' {
  return list.includes('*') ? '*' : list
}

function presentedToken(header: (name: string) => string | undefined): string | undefined {
  const text = header('x-chroma-token') ?? header('authorization')
  const token = text?.replace(/^Bearer\s+/i, '').trim()
  return token === '' ? undefined : token
}

const missingToken = () =>
  unauthorized('token-missing', 'A token is needed: send it in x-chroma-token or as Authorization: Bearer')

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
