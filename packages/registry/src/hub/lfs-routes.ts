/**
 * Git LFS: large files are sent by themselves, before the commit that names them. The answer to a batch gives a signed link for each
 * file that is not there; the link carries the permission, because clients send no token with it. Large files go to the bucket itself, in
 * parts, if it signs links and the client knows that (`multipart`, an extension of Hugging Face's hub to Git LFS: `chunk_size` and a link for each
 * part among the headers, and a link at which the client says that it has sent them). Others go through the server,
 * which hashes them while it stores them. Either way, what does not have the SHA-256 that was named is never visible. A client that offers to
 * send by Xet is told to (`xet/xet-routes.ts`).
 */
import { invalid, notFound } from 'siltstone/internal'
import * as v from 'valibot'
import { json } from '../http/answers.ts'
import { passingBody, readJson } from '../http/body.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import { type BlobUploads, partBytesFor } from '../store/blob-uploads.ts'
import { isSha256, isUlid } from '../store/keys.ts'
import { headersOf, xetAccess } from '../xet/xet-access.ts'
import {
  checkFileSize,
  checkWritable,
  endpointOf,
  type HubContext,
  pathPrefix,
  REPO_TYPES,
  type Repository,
  type RepoType,
  repositoryOf,
} from './context.ts'

const objectSchema = v.object({
  oid: v.pipe(v.string(), v.check(isSha256, 'is no SHA-256')),
  size: v.pipe(v.number(), v.integer('is no integer'), v.minValue(0, 'is negative')),
})
const batchSchema = v.object({
  operation: v.picklist(['upload', 'download']),
  transfers: v.optional(v.array(v.string()), []),
  objects: v.pipe(v.array(objectSchema), v.maxLength(1_000, 'has more than 1000 files')),
})

const completeSchema = v.object({
  parts: v.pipe(
    v.array(v.object({ partNumber: v.number(), etag: v.pipe(v.string(), v.nonEmpty('must not be empty')) })),
    v.minLength(1, 'is empty'),
    v.maxLength(10_000, 'has more than 10000 parts'),
    v.check((parts) => parts.every(({ partNumber }, at) => partNumber === at + 1), 'are not numbered from 1 on'),
  ),
})

/** Smaller files need fewer requests through the server. */
const DIRECT_FROM_BYTES = 4 * 1024 * 1024
/** Uploads that are begun beside each other, each with a request to the bucket. */
const BEGUN_TOGETHER = 16
const LINK_MS = 6 * 3_600_000
const MEDIA_TYPE = 'application/vnd.git-lfs+json'

export function lfsRoutes(context: HubContext): Route[] {
  return [
    ...REPO_TYPES.map(
      (type): Route => ({
        method: 'POST',
        path: `/${pathPrefix(type)}{owner}/{name}.git/info/lfs/objects/batch`,
        operation: 'lfsBatch',
        access: 'upload',
        handle: (call) => batch(context, call, type),
      }),
    ),
    {
      method: 'PUT',
      path: '/lfs/{oid}/{size}',
      operation: 'lfsUpload',
      access: 'public',
      handle: (call) => upload(context, call),
    },
    {
      method: 'POST',
      path: '/lfs/{oid}/{size}/complete',
      operation: 'lfsComplete',
      access: 'public',
      handle: (call) => complete(context, call),
    },
    {
      method: 'POST',
      path: '/lfs/{oid}/verify',
      operation: 'lfsVerify',
      access: 'any',
      handle: (call) => verify(context, call),
    },
  ]
}

type LfsObject = v.InferOutput<typeof objectSchema>

const linkOf = (oid: string, size: number) => `PUT ${oid} ${size}`
const completionOf = ({ oid, size }: LfsObject, ulid: string, uploadId: string) =>
  `COMPLETE ${oid} ${size} ${ulid} ${uploadId}`

async function batch(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const repository = await repositoryOf(context, call, type)
  checkWritable(repository, call.session)
  const { operation, objects, transfers } = await readJson(call.request, batchSchema)
  if (operation === 'download')
    throw invalid('lfs-operation', 'files are read by their paths, not by Git LFS', { field: 'operation' })
  const endpoint = endpointOf(call)
  const bytes = objects.reduce((sum, { size }) => sum + size, 0)
  await context.registry.quotas.check(repository.artifact.createdBy, { artifacts: 0, bytes })
  const { bodyLimits } = context
  // A xorb of Xet holds many files, and has up to 64 MB.
  if (transfers.includes('xet') && bodyLimits === undefined) return byXet(context, call, type, repository, objects)
  const direct = transfers.includes('multipart') ? context.registry.blobUploads : undefined
  const isDirect = ({ size }: LfsObject) => direct !== undefined && size > DIRECT_FROM_BYTES
  const partBytes = partBytesFor(objects.filter(isDirect).map(({ size }) => size))
  const actionsOf = async (object: LfsObject) => {
    const { oid, size } = object
    if ((await context.registry.blobs.size(oid)) === size) return object
    // Here, before the client sends anything, it is told what to do instead.
    checkFileSize(context, `the file with the SHA-256 ${oid}`, size, isDirect(object))
    const upload =
      direct !== undefined && isDirect(object)
        ? await inParts(context, call, direct, object, partBytes)
        : await throughServer(context, call, object)
    const authorization = call.request.headers.get('authorization') ?? ''
    const verify = { href: `${endpoint}/lfs/${oid}/verify`, header: { Authorization: authorization } }
    return { oid, size, authenticated: true, actions: { upload, verify } }
  }
  const answered: unknown[] = []
  for (let at = 0; at < objects.length; at += BEGUN_TOGETHER)
    answered.push(...(await Promise.all(objects.slice(at, at + BEGUN_TOGETHER).map(actionsOf))))
  const transfer = objects.some(isDirect) ? 'multipart' : 'basic'
  return json({ transfer, objects: answered }, 200, { 'content-type': MEDIA_TYPE })
}

async function throughServer({ signer }: HubContext, call: Call, { oid, size }: LfsObject) {
  const query = await signer.sign(linkOf(oid, size), LINK_MS)
  return { href: `${endpointOf(call)}/lfs/${oid}/${size}?${query}`, header: {}, expires_in: LINK_MS / 1_000 }
}

async function inParts({ signer }: HubContext, call: Call, direct: BlobUploads, object: LfsObject, partBytes: number) {
  const { oid, size } = object
  const { ulid, uploadId, urls } = await direct.begin(oid, size, partBytes, LINK_MS)
  const links = Object.fromEntries(urls.map((url, at) => [String(at + 1).padStart(5, '0'), url]))
  const signed = await signer.sign(completionOf(object, ulid, uploadId), LINK_MS)
  const query = `at=${ulid}&upload=${encodeURIComponent(uploadId)}&${signed}`
  return {
    href: `${endpointOf(call)}/lfs/${oid}/${size}/complete?${query}`,
    header: { chunk_size: String(partBytes), ...links },
    expires_in: LINK_MS / 1_000,
  }
}

/** Clients repeat it when they get no answer. */
async function complete({ registry, signer }: HubContext, call: Call): Promise<Response> {
  const { params, query, request } = call
  const { oid = '' } = params
  const size = Number(params['size'])
  const [ulid, uploadId] = [query.get('at') ?? '', query.get('upload') ?? '']
  await signer.check(completionOf({ oid, size }, ulid, uploadId), query)
  const { blobUploads } = registry
  if (blobUploads === undefined || !isUlid(ulid))
    throw notFound('upload-missing', 'this registry takes no files by this way any more: send the file again')
  const { parts } = await readJson(request, completeSchema)
  await blobUploads.complete({ sha256: oid, sizeBytes: size, ulid, uploadId, etags: parts.map(({ etag }) => etag) })
  return json({})
}

/** The link renews the token that the headers hold. */
async function byXet(
  context: HubContext,
  call: SignedInCall,
  type: RepoType,
  { id }: Repository,
  objects: readonly LfsObject[],
): Promise<Response> {
  const access = await xetAccess(context, call)
  const href = `${endpointOf(call)}/api/${type}/${id}/xet-write-token/main`
  const upload = { href, header: headersOf(access) }
  const answered = objects.map(async ({ oid, size }) => {
    if ((await context.registry.blobs.size(oid)) === size) return { oid, size }
    return { oid, size, authenticated: true, actions: { upload } }
  })
  return json({ transfer: 'xet', objects: await Promise.all(answered) }, 200, { 'content-type': MEDIA_TYPE })
}

async function upload({ registry, signer }: HubContext, call: Call): Promise<Response> {
  const { oid = '', size = '' } = call.params
  const sizeBytes = Number(size)
  await signer.check(linkOf(oid, sizeBytes), call.query)
  await registry.blobs.upload(withSize(passingBody(call.request), sizeBytes), oid)
  return json({})
}

/** @throws SiltstoneError `invalid` (blob-size) */
async function* withSize(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let seen = 0
  const wrong = () =>
    invalid('blob-size', `the file has another size than ${sizeBytes} bytes: send it again`, { field: 'size' })
  for await (const chunk of chunks) {
    seen += chunk.length
    if (seen > sizeBytes) throw wrong()
    yield chunk
  }
  if (seen !== sizeBytes) throw wrong()
}

async function verify({ registry }: HubContext, call: SignedInCall): Promise<Response> {
  const { oid = '' } = call.params
  const { size } = await readJson(call.request, v.object({ size: v.number() }))
  if (!isSha256(oid) || (await registry.blobs.size(oid)) !== size) {
    throw notFound('blob-missing', `the file ${oid.slice(0, 64)} is not there: send it again`)
  }
  return json({})
}
