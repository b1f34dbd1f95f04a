/**
 * Git LFS: large files are sent by themselves, before the commit that names them. The answer to a batch gives a signed link for each
 * file that is not there; the link carries the permission, because clients send no token with it. The bytes go through the server,
 * which hashes them while it stores them: what does not have the SHA-256 that was named is never visible. A client that offers to
 * send by Xet is told to (`xet/xet-routes.ts`).
 */
import { invalid, notFound } from 'siltstone/internal'
import * as v from 'valibot'
import { json } from '../http/answers.ts'
import { bodyOf, readJson } from '../http/body.ts'
import { checkSize } from '../http/body-limits.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import { isSha256 } from '../store/keys.ts'
import { headersOf, xetAccess } from '../xet/xet-routes.ts'
import {
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
      path: '/lfs/{oid}/verify',
      operation: 'lfsVerify',
      access: 'any',
      handle: (call) => verify(context, call),
    },
  ]
}

const linkOf = (oid: string, size: number) => `PUT ${oid} ${size}`

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
  const answered = await Promise.all(
    objects.map(async ({ oid, size }) => {
      if ((await context.registry.blobs.size(oid)) === size) return { oid, size }
      // Here, before the client sends anything, it is told what to do instead.
      checkSize(`the file with the SHA-256 ${oid}`, size, bodyLimits)
      const query = await context.signer.sign(linkOf(oid, size), LINK_MS)
      const authorization = call.request.headers.get('authorization') ?? ''
      return {
        oid,
        size,
        authenticated: true,
        actions: {
          upload: { href: `${endpoint}/lfs/${oid}/${size}?${query}`, header: {}, expires_in: LINK_MS / 1_000 },
          verify: { href: `${endpoint}/lfs/${oid}/verify`, header: { Authorization: authorization } },
        },
      }
    }),
  )
  return json({ transfer: 'basic', objects: answered }, 200, { 'content-type': MEDIA_TYPE })
}

/** The link renews the token that the headers hold. */
async function byXet(
  context: HubContext,
  call: SignedInCall,
  type: RepoType,
  { id }: Repository,
  objects: readonly v.InferOutput<typeof objectSchema>[],
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
  await registry.blobs.upload(withSize(bodyOf(call.request), sizeBytes), oid)
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
