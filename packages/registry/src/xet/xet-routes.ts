/**
 * Uploads by Xet, which clients of the Hub use for large files. A client cuts files into chunks, sends new chunks in *xorbs* (through the server, or
 * to the bucket itself, `xorb-grants.ts`), and then a *shard*, which says of which chunks each file consists.
 *
 * Each file of a shard is put together and stored under its SHA-256 before the shard is accepted, so a commit can name it, and downloads
 * are plain. What a client says about a xorb does not matter: contents without the SHA-256 that the shard names are refused. Xorbs are
 * kept by user, so nobody can put another content where somebody else expects theirs, and kept for good, because clients remember what
 * they have sent and leave it out the next time.
 *
 * Not here: deduplication among machines (`/v1/chunks` knows nothing), reconstruction by clients (no read token).
 */
import { invalid, notFound, type ObjectStore } from 'siltstone/internal'
import { json } from '../http/answers.ts'
import { bodyOf, readBytes } from '../http/body.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import { checkWritable, type HubContext, REPO_TYPES, type RepoType, repositoryOf } from '../hub/context.ts'
import { xorbKey } from '../store/keys.ts'
import { parseShard, type ShardFile } from './shard.ts'
import { headersOf, namedXorb, XET, xetAccess, xorbFolder } from './xet-access.ts'
import { chunksOf, MAX_XORB_BYTES } from './xorb.ts'
import { xorbGrantRoutes } from './xorb-grants.ts'

const MAX_SHARD_BYTES = 64 * 1024 * 1024

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
    ...xorbGrantRoutes(context),
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

async function takeXorb(context: HubContext, call: Call): Promise<Response> {
  const upload = await context.registry.store.upload(await namedXorb(context, call), { ifAbsent: true })
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
  const folder = await xorbFolder(context, call)
  const files = parseShard(await readBytes(call.request, MAX_SHARD_BYTES))
  const { blobs, store } = context.registry
  for (const file of files) {
    const sizeBytes = file.terms.reduce((sum, term) => sum + term.sizeBytes, 0)
    if ((await blobs.size(file.sha256)) === sizeBytes) continue
    await blobs.upload(contentsOf(store, folder, file), file.sha256)
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
