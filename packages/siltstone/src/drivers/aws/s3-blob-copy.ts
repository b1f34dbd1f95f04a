/** A copy within S3: no byte passes through this machine. Objects above 5 GiB need an upload in parts. */
import { CopyObjectCommand, type CopyObjectCommandOutput, HeadObjectCommand } from '@aws-sdk/client-s3'
import { etagMatches } from '../../ports/blob-rules.ts'
import type { BlobSource, CopyBlobOptions, CopyBlobResult } from '../../ports/blob-store.ts'
import { codeOf, statusOf } from './failure.ts'
import { type S3Bucket, s3Url } from './s3-bucket.ts'
import type { BlobTarget } from './s3-blob-upload.ts'
import { conditionInput, headInput, sourceInput, tagInput, writeRefusal } from './s3-blob-values.ts'

type Refused = Exclude<CopyBlobResult, { status: 'ok' }>

export async function copyObject(
  at: BlobTarget,
  source: BlobSource,
  options: CopyBlobOptions,
): Promise<CopyObjectCommandOutput | Refused> {
  const { bucket } = at
  const input = {
    ...at.target,
    CopySource: copySource(bucket, source),
    ...sourceInput(source),
    ...conditionInput(options),
    ...(options.head && { MetadataDirective: 'REPLACE' as const, ...headInput(options.head) }),
    ...(options.tags && { TaggingDirective: 'REPLACE' as const, ...tagInput(options.tags) }),
    ...(options.checksum && { ChecksumAlgorithm: options.checksum }),
  }
  const isConditional = options.ifAbsent === true || options.ifMatch !== undefined
  const calling = {
    doing: `copy to ${s3Url(bucket, at.key)}`,
    key: at.key,
    changes: true,
    ...(isConditional && { attempts: 1 }),
  }
  return bucket.requests.call(calling, async ({ signal }) => {
    try {
      return await bucket.client.send(new CopyObjectCommand(input), { abortSignal: signal })
    } catch (error) {
      const status = statusOf(error)
      if (status === 404 && codeOf(error) !== 'NoSuchBucket') return { status: 'source-not-found' as const }
      if (status !== 412) throw error
      if (!isConditional) return { status: 'source-mismatch' as const }
      // Either condition may have failed.
      const found = await bucket.client
        .send(new HeadObjectCommand(at.target), { abortSignal: signal })
        .catch((failure: unknown) => {
          if (statusOf(failure) === 404) return undefined
          throw failure
        })
      const isOther = found?.ETag === undefined || !etagMatches(options.ifMatch ?? '*', found.ETag)
      const isTarget = options.ifAbsent === true ? found !== undefined : isOther
      return isTarget ? writeRefusal(error, options) : { status: 'source-mismatch' as const }
    }
  })
}

/** `x-amz-copy-source`. */
export function copySource({ place }: S3Bucket, { bucket, key, versionId }: BlobSource): string {
  const path = `${bucket ?? place.bucket}/${bucket === undefined ? place.prefix : ''}${key}`
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return versionId === undefined ? encoded : `${encoded}?versionId=${encodeURIComponent(versionId)}`
}
