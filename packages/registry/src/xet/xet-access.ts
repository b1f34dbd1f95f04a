/** Where a client sends xorbs and shards, and the token that says whose they are. */
import { createHash } from 'node:crypto'
import { invalid, unauthorized } from 'siltstone/internal'
import { tokenOf } from '../http/app.ts'
import type { Call, SignedInCall } from '../http/route.ts'
import { endpointOf, type HubContext } from '../hub/context.ts'
import { isSha256 } from '../store/keys.ts'
import type { XorbName } from './xorbs.ts'

export const XET = '/xet'
const TOKEN_MS = 3_600_000

export interface XetAccess {
  casUrl: string
  accessToken: string
  /** Seconds since 1970. */
  exp: number
}

/** Where the session's user may send xorbs and shards, and a token for it. */
export async function xetAccess(context: HubContext, call: SignedInCall): Promise<XetAccess> {
  const { user } = call.session
  const query = await context.signer.sign(what(user), TOKEN_MS)
  const accessToken = Buffer.from(`${query}&user=${encodeURIComponent(user)}`).toString('base64url')
  return { casUrl: `${endpointOf(call)}${XET}`, accessToken, exp: Number(new URLSearchParams(query).get('exp')) }
}

/** As headers of an answer, or of an action of Git LFS. */
export const headersOf = ({ casUrl, accessToken, exp }: XetAccess): Record<string, string> => ({
  'x-xet-cas-url': casUrl,
  'x-xet-access-token': accessToken,
  'x-xet-token-expiration': String(exp),
})

const what = (user: string) => `XET ${user}`

/** The user of a token that `xetAccess` made. @throws SiltstoneError `unauthorized` (token-missing), `forbidden` (link-signature, link-expired) */
async function userOf({ signer }: HubContext, { request }: Call): Promise<string> {
  const token = tokenOf(request.headers)
  if (token === undefined) throw unauthorized('token-missing', 'a token is needed: ask for xet-write-token')
  const query = new URLSearchParams(Buffer.from(token, 'base64url').toString())
  const user = query.get('user') ?? ''
  await signer.check(what(user), query)
  return user
}

export interface XetUser {
  user: string
  /** Where his xorbs are. */
  folder: string
}

/** Of a request's token. @throws SiltstoneError as `userOf` */
export async function xetUser(context: HubContext, call: Call): Promise<XetUser> {
  const user = await userOf(context, call)
  return { user, folder: createHash('sha256').update(user).digest('hex').slice(0, 32) }
}

/** The hash that a request's path names. @throws SiltstoneError `invalid` (xorb-hash) */
export function namedHash({ params }: Call): string {
  const { hash = '' } = params
  if (!isSha256(hash)) throw invalid('xorb-hash', `"${hash.slice(0, 100)}" is no hash of Xet`, { field: 'hash' })
  return hash
}

/** The xorb that a request names. @throws SiltstoneError as `userOf` and `namedHash` */
export async function namedXorb(context: HubContext, call: Call): Promise<XorbName> {
  const { folder } = await xetUser(context, call)
  return { folder, hash: namedHash(call) }
}
