/**
 * Uploads by Xet, which clients of the Hub use for large files. A client cuts files into chunks, asks whether some of them are known
 * (`shared-chunks.ts`), sends new chunks in *xorbs* (through the server, or to the bucket itself, `xorb-grants.ts`), and then a *shard*, which says
 * of which chunks each file consists.
 *
 * What a client says is compared: a xorb with its hash, each file of a shard with its hash of Xet and its SHA-256, for which it is put
 * together once. Then it is stored as a list of chunks (`chunked-files.ts`), and, where answers are limited in size, as a whole, too. A commit
 * names it by its SHA-256, and downloads are plain.
 *
 * Xorbs are kept by user, so that nobody learns from an answer what others have. Clients remember for weeks what they have sent, and leave
 * it out the next time.
 *
 * Not here: reconstruction by clients (no read token).
 */
import { createHash } from 'node:crypto'
import { invalid, notFound } from 'siltstone/internal'
import { json } from '../http/answers.ts'
import { passingBody, readBytes } from '../http/body.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import { checkWritable, type HubContext, REPO_TYPES, type RepoType, repositoryOf } from '../hub/context.ts'
import { checkDigest } from '../store/blobs.ts'
import { answerShard } from './answer-shard.ts'
import type { ChunkedFile, ChunkRange } from './chunked-files.ts'
import { type HashedChunk, hashText, xetHashes } from './hashes.ts'
import { parseShard, type ShardFile, type Term } from './shard.ts'
import { headersOf, namedHash, namedXorb, XET, xetAccess, type XetUser, xetUser } from './xet-access.ts'
import { xorbGrantRoutes } from './xorb-grants.ts'

const MAX_SHARD_BYTES = 64 * 1024 * 1024
/** About 6 GB of contents; the answer has 48 bytes for each. */
const MAX_DESCRIBED_CHUNKS = 100_000
const DAY_MS = 86_400_000
/** Clients use an answer, and what they have sent themselves, for weeks; the garbage collector keeps xorbs longer than that. */
const ANSWER_DAYS = 7

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
      method: 'GET',
      path: `${XET}/v1/chunks/{prefix}/{hash}`,
      operation: 'xetChunk',
      access: 'public',
      handle: (call) => describeChunk(context, call),
    },
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

async function describeChunk(context: HubContext, call: Call): Promise<Response> {
  const { user, folder } = await xetUser(context, call)
  const { registry, signer, clock } = context
  const xorbs = await registry.sharedChunks.describe(user, folder, namedHash(call), MAX_DESCRIBED_CHUNKS)
  if (xorbs === undefined) throw notFound('chunk-unknown', 'no file that you may read has the chunk: send it')
  const createdMs = clock.nowMs()
  const day = Math.floor(createdMs / DAY_MS)
  const key = await signer.key(`chunks of Xet for ${user} on day ${day}`)
  const expiresMs = (day + ANSWER_DAYS) * DAY_MS
  const shard = await answerShard(xorbs, { key, createdMs, expiresMs })
  return new Response(shard as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(shard.length) },
  })
}

async function takeXorb(context: HubContext, call: Call): Promise<Response> {
  const name = await namedXorb(context, call)
  return json({ was_inserted: await context.registry.xorbs.take(name, passingBody(call.request)) })
}

async function takeShard(context: HubContext, call: Call): Promise<Response> {
  const user = await xetUser(context, call)
  const files = parseShard(await readBytes(call.request, MAX_SHARD_BYTES))
  const { blobs, chunkedFiles, sharedChunks } = context.registry
  for (const named of files) {
    const sizeBytes = named.terms.reduce((sum, term) => sum + term.sizeBytes, 0)
    if ((await blobs.size(named.sha256)) === sizeBytes) continue
    const file = await checkedFile(context, user, named, sizeBytes)
    // Behind a limit for answers, only the bucket can give a large file, and it gives whole objects.
    if (context.bodyLimits !== undefined) await blobs.upload(chunkedFiles.contents(file), named.sha256)
    else await checkContents(chunkedFiles.contents(file), named.sha256)
    await sharedChunks.addFile(named.sha256, file)
    await chunkedFiles.put(named.sha256, file)
  }
  return json({ result: 1 })
}

/** @throws SiltstoneError `not-found` (xorb-missing), `invalid` (xorb-damaged, shard-damaged) */
async function checkedFile(
  { registry }: HubContext,
  { user, folder }: XetUser,
  { terms, xetHash, sha256 }: ShardFile,
  sizeBytes: number,
): Promise<ChunkedFile> {
  const ranges: ChunkRange[] = []
  const chunks: HashedChunk[] = []
  const names = new Map<string, ChunkRange['xorb']>()
  for (const term of terms) {
    const { xorb: hash, first, end } = term
    const xorb = names.get(hash) ?? (await registry.sharedChunks.find(user, folder, hash))
    if (xorb === undefined)
      throw notFound(
        'xorb-missing',
        `the xorb ${hash} is not there: send it again, without the cache that remembers it`,
      )
    names.set(hash, xorb)
    const table = await registry.xorbs.verified(xorb)
    if (end > table.length) throw wrongTerm(term, `the xorb has ${table.length} chunks`)
    const seen = table.at(end) - table.at(first)
    if (seen !== term.sizeBytes) throw wrongTerm(term, `its chunks have ${seen} bytes`)
    for (let index = first; index < end; index++)
      chunks.push({ hash: table.hash(index), sizeBytes: table.at(index + 1) - table.at(index) })
    ranges.push({ xorb, first, end, sizeBytes: term.sizeBytes })
  }
  const actual = hashText((await xetHashes()).file(chunks))
  if (actual !== xetHash) {
    const text = `the file with the SHA-256 ${sha256} has the hash ${actual} of Xet, and ${xetHash} is named`
    throw invalid('shard-damaged', text, { field: 'body' })
  }
  return { sizeBytes, xetHash, ranges }
}

const wrongTerm = ({ xorb, first, end, sizeBytes }: Term, why: string) =>
  invalid('shard-damaged', `chunks ${first} to ${end} of the xorb ${xorb} with ${sizeBytes} bytes are named: ${why}`, {
    field: 'body',
  })

/** @throws SiltstoneError `invalid` (blob-digest) */
async function checkContents(contents: AsyncIterable<Uint8Array>, sha256: string): Promise<void> {
  const hash = createHash('sha256')
  for await (const part of contents) hash.update(part)
  checkDigest(sha256, hash.digest('hex'))
}
