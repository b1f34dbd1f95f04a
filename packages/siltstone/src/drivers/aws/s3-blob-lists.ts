import { ListObjectsV2Command, ListObjectVersionsCommand } from '@aws-sdk/client-s3'
import { pageLimit } from '../../ports/blob-rules.ts'
import type {
  BlobPage,
  ListBlobsOptions,
  ListedVersion,
  ListVersionsOptions,
  VersionPage,
} from '../../ports/blob-store.ts'
import { compareKeys } from '../../ports/object-key.ts'
import { type S3Bucket, s3Url } from './s3-bucket.ts'

/** Keys are requested in percent-encoding, because XML cannot express all of them. */
const URL_ENCODED = { EncodingType: 'url' as const }

function decoder(root: string, encoding: string | undefined): (text: string | undefined) => string {
  return (text = '') => (encoding === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text).slice(root.length)
}

export async function listBlobs(bucket: S3Bucket, options: ListBlobsOptions): Promise<BlobPage> {
  const { prefix = '', delimiter, startAfter = '', continuation, limit } = options
  const root = bucket.place.prefix
  const input = {
    Bucket: bucket.place.bucket,
    Prefix: root + prefix,
    MaxKeys: pageLimit(limit),
    ...URL_ENCODED,
    ...(delimiter !== undefined && delimiter !== '' && { Delimiter: delimiter }),
    ...(continuation !== undefined && { ContinuationToken: continuation }),
    ...(continuation === undefined && startAfter !== '' && { StartAfter: root + startAfter }),
  }
  const answer = await bucket.requests.call({ doing: `list ${s3Url(bucket, prefix)}` }, ({ signal }) =>
    bucket.client.send(new ListObjectsV2Command(input), { abortSignal: signal }),
  )
  const own = decoder(root, answer.EncodingType)
  const next = answer.IsTruncated === true ? answer.NextContinuationToken : undefined
  return {
    blobs: (answer.Contents ?? []).map(({ Key, Size = 0, ETag = '', LastModified }) => ({
      key: own(Key),
      etag: ETag,
      sizeBytes: Size,
      lastModifiedMs: LastModified?.getTime() ?? 0,
    })),
    prefixes: (answer.CommonPrefixes ?? []).map(({ Prefix }) => own(Prefix)),
    ...(next !== undefined && { continuation: next }),
  }
}

export async function listVersions(bucket: S3Bucket, options: ListVersionsOptions): Promise<VersionPage> {
  const { prefix = '', delimiter, after, limit } = options
  const root = bucket.place.prefix
  const input = {
    Bucket: bucket.place.bucket,
    Prefix: root + prefix,
    MaxKeys: pageLimit(limit),
    ...URL_ENCODED,
    ...(delimiter !== undefined && delimiter !== '' && { Delimiter: delimiter }),
    ...(after && {
      KeyMarker: root + after.key,
      ...(after.versionId !== undefined && { VersionIdMarker: after.versionId }),
    }),
  }
  const answer = await bucket.requests.call({ doing: `list the versions of ${s3Url(bucket, prefix)}` }, ({ signal }) =>
    bucket.client.send(new ListObjectVersionsCommand(input), { abortSignal: signal }),
  )
  const own = decoder(root, answer.EncodingType)
  const of =
    (isDeleteMarker: boolean) =>
    (one: NonNullable<typeof answer.Versions>[number]): ListedVersion => ({
      key: own(one.Key),
      etag: one.ETag ?? '',
      sizeBytes: one.Size ?? 0,
      lastModifiedMs: one.LastModified?.getTime() ?? 0,
      versionId: one.VersionId ?? 'null',
      isLatest: one.IsLatest === true,
      isDeleteMarker,
    })
  // The answer has two lists, each in order. Times have whole seconds, but the sort is stable.
  const versions = [...(answer.Versions ?? []).map(of(false)), ...(answer.DeleteMarkers ?? []).map(of(true))].sort(
    (a, b) =>
      compareKeys(a.key, b.key) || Number(b.isLatest) - Number(a.isLatest) || b.lastModifiedMs - a.lastModifiedMs,
  )
  const { NextKeyMarker, NextVersionIdMarker } = answer
  return {
    versions,
    prefixes: (answer.CommonPrefixes ?? []).map(({ Prefix }) => own(Prefix)),
    ...(answer.IsTruncated === true &&
      NextKeyMarker !== undefined && {
        next: { key: own(NextKeyMarker), ...(NextVersionIdMarker !== undefined && { versionId: NextVersionIdMarker }) },
      }),
  }
}
