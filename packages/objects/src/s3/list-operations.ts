/** Listings of a bucket. */
import { encodePath } from 'siltstone/internal'
import { compareKeys, type ListedBlob } from 'siltstone/internal'
import type { S3Call } from './call.ts'
import type { S3Answer } from './object-headers.ts'
import { xmlAnswer } from './object-operations.ts'
import { S3Error } from './s3-error.ts'
import { parameter, type S3Request } from './s3-request.ts'
import { xmlDocument } from './xml.ts'

interface Asked {
  prefix: string
  delimiter: string | undefined
  limit: number
  encode: (text: string) => string
  encodingType: string | undefined
}

/** @throws S3Error InvalidArgument */
export function limitOf(request: S3Request, name: string, most: number): number {
  const text = parameter(request, name) ?? String(most)
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 0 || text.trim() === '')
    throw new S3Error('InvalidArgument', `${name} is ${text}, not a number from 0 to ${most}.`)
  return Math.min(limit, most)
}

/** @throws S3Error InvalidArgument */
function asked({ request }: S3Call, limitName = 'max-keys'): Asked {
  const limit = limitOf(request, limitName, 1_000)
  const encodingType = parameter(request, 'encoding-type')
  if (encodingType !== undefined && encodingType !== 'url')
    throw new S3Error('InvalidArgument', `The encoding-type ${encodingType} is not known: use url.`)
  const delimiter = parameter(request, 'delimiter')
  return {
    prefix: parameter(request, 'prefix') ?? '',
    delimiter: delimiter === '' ? undefined : delimiter,
    limit,
    encode: encodingType === 'url' ? encodePath : (key) => key,
    encodingType,
  }
}

const contents = (encode: Asked['encode']) => (blob: ListedBlob) => ({
  Key: encode(blob.key),
  LastModified: new Date(blob.lastModifiedMs).toISOString(),
  ETag: blob.etag,
  Size: blob.sizeBytes,
  StorageClass: 'STANDARD',
})

function options({ prefix, delimiter, limit }: Asked) {
  return { prefix, limit, ...(delimiter !== undefined && { delimiter }) }
}

export async function listObjects(call: S3Call): Promise<S3Answer> {
  const type = parameter(call.request, 'list-type')
  if (type === '2') return listObjectsV2(call)
  if (type !== undefined) throw new S3Error('InvalidArgument', `There is no list-type ${type}.`)
  return listObjectsV1(call)
}

async function listObjectsV2(call: S3Call): Promise<S3Answer> {
  const { request, store, bucket } = call
  const ask = asked(call)
  const { encode, encodingType, prefix, delimiter, limit } = ask
  const startAfter = parameter(request, 'start-after')
  const token = parameter(request, 'continuation-token')
  // An empty page still tells whether the bucket is there.
  const page = await store.list({
    ...options({ ...ask, limit: Math.max(1, limit) }),
    ...(startAfter !== undefined && { startAfter }),
    ...(token !== undefined && token !== '' && { continuation: token }),
  })
  const { blobs, prefixes, continuation } = limit === 0 ? { blobs: [], prefixes: [], continuation: undefined } : page
  const owner = parameter(request, 'fetch-owner') === 'true' ? { Owner: OWNER } : {}
  return xmlAnswer(
    xmlDocument('ListBucketResult', {
      Name: bucket,
      Prefix: encode(prefix),
      Delimiter: delimiter === undefined ? undefined : encode(delimiter),
      MaxKeys: limit,
      KeyCount: blobs.length + prefixes.length,
      IsTruncated: continuation !== undefined,
      EncodingType: encodingType,
      StartAfter: startAfter === undefined ? undefined : encode(startAfter),
      ContinuationToken: token,
      NextContinuationToken: continuation,
      Contents: blobs.map((blob) => ({ ...contents(encode)(blob), ...owner })),
      CommonPrefixes: prefixes.map((one) => ({ Prefix: encode(one) })),
    }),
  )
}

export const OWNER = { ID: 'siltstone', DisplayName: 'siltstone' }

async function listObjectsV1(call: S3Call): Promise<S3Answer> {
  const { request, store, bucket } = call
  const ask = asked(call)
  const { encode, encodingType, prefix, delimiter, limit } = ask
  const marker = parameter(request, 'marker') ?? ''
  // The marker of a page that ended with a group is the group, all of which was listed.
  const isGroup =
    delimiter !== undefined &&
    marker.startsWith(prefix) &&
    marker.indexOf(delimiter, prefix.length) === marker.length - delimiter.length &&
    marker.length > prefix.length
  const page = await store.list({
    ...options({ ...ask, limit: Math.max(1, limit) }),
    // No key sorts after all those of a group but this one.
    startAfter: isGroup ? `${marker}\u{10ffff}\u{10ffff}` : marker,
  })
  const { blobs, prefixes, continuation } = limit === 0 ? { blobs: [], prefixes: [], continuation: undefined } : page
  const last = [...blobs.map(({ key }) => key), ...prefixes].sort(compareKeys).at(-1)
  return xmlAnswer(
    xmlDocument('ListBucketResult', {
      Name: bucket,
      Prefix: encode(prefix),
      Marker: encode(marker),
      Delimiter: delimiter === undefined ? undefined : encode(delimiter),
      MaxKeys: limit,
      IsTruncated: continuation !== undefined,
      NextMarker: continuation === undefined || last === undefined ? undefined : encode(last),
      EncodingType: encodingType,
      Contents: blobs.map((blob) => ({ ...contents(encode)(blob), Owner: OWNER })),
      CommonPrefixes: prefixes.map((one) => ({ Prefix: encode(one) })),
    }),
  )
}

export async function listObjectVersions(call: S3Call): Promise<S3Answer> {
  const { request, store, bucket } = call
  const ask = asked(call)
  const { encode, encodingType, prefix, delimiter, limit } = ask
  const keyMarker = parameter(request, 'key-marker') ?? ''
  const versionMarker = parameter(request, 'version-id-marker') ?? ''
  const page = await store.listVersions({
    ...options({ ...ask, limit: Math.max(1, limit) }),
    ...(keyMarker !== '' && { after: { key: keyMarker, ...(versionMarker !== '' && { versionId: versionMarker }) } }),
  })
  const { versions, prefixes, next } = limit === 0 ? { versions: [], prefixes: [], next: undefined } : page
  const common = (version: (typeof versions)[number]) => ({
    Key: encode(version.key),
    VersionId: version.versionId,
    IsLatest: version.isLatest,
    LastModified: new Date(version.lastModifiedMs).toISOString(),
  })
  return xmlAnswer(
    xmlDocument('ListVersionsResult', {
      Name: bucket,
      Prefix: encode(prefix),
      Delimiter: delimiter === undefined ? undefined : encode(delimiter),
      KeyMarker: encode(keyMarker),
      VersionIdMarker: versionMarker,
      NextKeyMarker: next && encode(next.key),
      NextVersionIdMarker: next?.versionId,
      MaxKeys: limit,
      EncodingType: encodingType,
      IsTruncated: next !== undefined,
      Version: versions
        .filter(({ isDeleteMarker }) => !isDeleteMarker)
        .map((one) => ({
          ...common(one),
          ETag: one.etag,
          Size: one.sizeBytes,
          StorageClass: 'STANDARD',
          Owner: OWNER,
        })),
      DeleteMarker: versions.filter((one) => one.isDeleteMarker).map((one) => ({ ...common(one), Owner: OWNER })),
      CommonPrefixes: prefixes.map((one) => ({ Prefix: encode(one) })),
    }),
  )
}

export async function listMultipartUploads(call: S3Call): Promise<S3Answer> {
  const { request, store, bucket } = call
  const { encode, encodingType, prefix, delimiter, limit } = asked(call, 'max-uploads')
  if (delimiter !== undefined) throw new S3Error('NotImplemented', 'Uploads are not grouped by a delimiter.')
  const key = parameter(request, 'key-marker') ?? ''
  const uploadId = parameter(request, 'upload-id-marker') ?? ''
  const page = await store.listUploads({
    prefix,
    limit: Math.max(1, limit),
    ...(key !== '' && { after: { key, ...(uploadId !== '' && { uploadId }) } }),
  })
  const { uploads, next } = limit === 0 ? { uploads: [], next: undefined } : page
  return xmlAnswer(
    xmlDocument('ListMultipartUploadsResult', {
      Bucket: bucket,
      KeyMarker: encode(key),
      UploadIdMarker: uploadId,
      NextKeyMarker: next && encode(next.key),
      NextUploadIdMarker: next?.uploadId,
      Prefix: encode(prefix),
      MaxUploads: limit,
      EncodingType: encodingType,
      IsTruncated: next !== undefined,
      Upload: uploads.map((upload) => ({
        Key: encode(upload.key),
        UploadId: upload.uploadId,
        Initiator: OWNER,
        Owner: OWNER,
        StorageClass: 'STANDARD',
        Initiated: new Date(upload.startedMs).toISOString(),
        ChecksumAlgorithm: upload.checksum?.algorithm,
        ChecksumType: upload.checksum?.type,
      })),
    }),
  )
}
