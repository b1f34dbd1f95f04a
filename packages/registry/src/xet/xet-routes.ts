/**
 * Uploads by Xet, which clients of the Hub use for large files. A client cuts files into chunks, sends new chunks in *xorbs*, and then a
 * *shard*, which says of which chunks each file consists.
 *
 * Each file of a shard is put together and stored under its SHA-256 before the shard is accepted, so a commit can name it, and downloads
 * are plain. What a client says about a xorb does not matter: contents without the SHA-256 that the shard names are refused. Xorbs are
 * kept by user, so nobody can put another content where somebody else expects theirs, and kept for good, because clients remember what
 * they have sent and leave it out the next time.
 *
 * Not here: deduplication among machines (`/v1/chunks` knows nothing), reconstruction by clients (no read token).
 */
import { createHash } from 'node:crypto'
import { invalid, notFound, type ObjectStore, unauthorized } from 'siltstone/internal'
import { json } from '../http/answers.ts'
import { tokenOf } from '../http/app.ts'
import { bodyOf, readBytes } from '../http/body.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import { checkWritable, endpointOf, type HubContext, REPO_TYPES, type RepoType, repositoryOf } from '../hub/context.ts'
import { isSha256, xorbKey } from '../store/keys.ts'
import { parseShard, type ShardFile } from './shard.ts'
import { chunksOf } from './xorb.ts'

const TOKEN_MS = 3_600_000
/** 64 MiB of chunks, their headers, and a footer. */
const MAX_XORB_BYTES = 72 * 1024 * 1024
const MAX_SHARD_BYTES = 64 * 1024 * 1024
const XET = '/xet'

export function xetRoutes(context: HubContext): Route[] {
  return [
    ...REPO_TYPES.map(
      (type): Route => ({
        method: 'GET',
        path: `/api/${type}/{owner}/{name}/xet-write-token/{revision}`,
        operation: 'xetWriteToken',
        access: 'upload',
        handle: (call) => writeToken(context, call, type),
      }),
    ),
    {
      method: 'POST',
      path: `${XET}/v1/xorbs/{prefix}/{hash}`,
      operation: 'xetXorb',
      access: 'public',
      handle: (call) => takeXorb(context, call),
    },
    {
      method: 'POST',
      path: `${XET}/v1/shards`,
      operation: 'xetShard',
      access: 'public',
      handle: (call) => takeShard(context, call),
    },
  ]
}

async function writeToken(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  checkWritable(await repositoryOf(context, call, type), call.session)
  const { casUrl, accessToken, exp } = await xetAccess(context, call)
  return json({ casUrl, accessToken, exp }, 200, headersOf({ casUrl, accessToken, exp }))
}

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

/** The user of a token that `writeToken` made. @throws SiltstoneError `unauthorized` (token-missing), `forbidden` (link-signature, link-expired) */
async function userOf({ signer }: HubContext, { request }: Call): Promise<string> {
  const token = tokenOf(request.headers)
  if (token === undefined) throw unauthorized('token-missing', 'a token is needed: ask for xet-write-token')
  const query = new URLSearchParams(Buffer.from(token, 'base64url').toString())
  const user = query.get('user') ?? ''
  await signer.check(what(user), query)
  return user
}

const folderOf = (user: string) => createHash('sha256').update(user).digest('hex').slice(0, 32)

async function takeXorb(context: HubContext, call: Call): Promise<Response> {
  const user = await userOf(context, call)
  const { hash = '' } = call.params
  if (!isSha256(hash)) throw invalid('xorb-hash', `"${hash.slice(0, 100)}" is no hash of a xorb`, { field: 'hash' })
  const upload = await context.registry.store.upload(xorbKey(folderOf(user), hash), { ifAbsent: true })
  let sizeBytes = 0
  try {
    for await (const chunk of bodyOf(call.request)) {
      sizeBytes += chunk.length
      if (sizeBytes > MAX_XORB_BYTES) throw invalid('body-too-large', 'a xorb has at most 64 MiB', { field: 'body' })
      await upload.write(chunk)
    }
  } catch (error) {
    await upload.abort()
    throw error
  }
  const { status } = await upload.complete()
  return json({ was_inserted: status === 'ok' })
}

async function takeShard(context: HubContext, call: Call): Promise<Response> {
  const user = await userOf(context, call)
  const files = parseShard(await readBytes(call.request, MAX_SHARD_BYTES))
  const { blobs, store } = context.registry
  for (const file of files) {
    const sizeBytes = file.terms.reduce((sum, term) => sum + term.sizeBytes, 0)
    if ((await blobs.size(file.sha256)) === sizeBytes) continue
    await blobs.upload(contentsOf(store, folderOf(user), file), file.sha256)
  }
  return json({ result: 1 })
}

/** @throws SiltstoneError `not-found` (xorb-missing), `invalid` (xorb-damaged) */
export async function* contentsOf(
  store: ObjectStore,
  folder: string,
  { terms }: ShardFile,
): AsyncGenerator<Uint8Array> {
  // Terms that follow each other are mostly of the same xorb.
  let last: { hash: string; bytes: Uint8Array } | undefined
  for (const { xorb, first, end, sizeBytes } of terms) {
    if (last?.hash !== xorb) {
      const got = await store.get(xorbKey(folder, xorb), { immutable: true })
      if (got.status !== 'ok') throw notFound('xorb-missing', `the xorb ${xorb} is not there: send it again`)
      last = { hash: xorb, bytes: got.body }
    }
    let seen = 0
    for (const chunk of chunksOf(last.bytes, first, end)) {
      seen += chunk.length
      yield chunk
    }
    if (seen !== sizeBytes)
      throw invalid('xorb-damaged', `a term has ${seen} bytes, and ${sizeBytes} are named`, { field: 'body' })
  }
}
