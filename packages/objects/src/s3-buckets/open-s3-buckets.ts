/** Opens the buckets that a server over a store in a bucket serves. */
import { type Environment, makeS3BucketAt, openS3BlobsAt, removeS3BucketAt } from 'siltstone/internal'
import { S3Buckets } from './s3-buckets.ts'

/**
 * @param data `s3://bucket/prefix?options`; endpoint, region and the like hold for the other buckets, too
 * @param own names of buckets that are there
 * @throws SiltstoneError as the constructor of `S3Buckets` does
 */
export function openS3Buckets(
  data: string,
  own: readonly string[],
  { store, clock, random, ids, log, metrics }: Omit<Environment, 'queue' | 'leases'>,
): S3Buckets {
  const urlOf = otherBucket(data)
  const parts = { clock, random, log, metrics }
  return new S3Buckets({
    store,
    storeBucket: bucketOf(data),
    own,
    open: (bucket) => openS3BlobsAt(urlOf(bucket), parts),
    make: (bucket) => makeS3BucketAt(urlOf(bucket), parts),
    remove: (bucket) => removeS3BucketAt(urlOf(bucket), parts),
    clock,
    ids,
  })
}

const bucketOf = (data: string): string => /^s3:\/\/([^/?#]+)/.exec(data)?.[1] ?? ''

/** The place of another bucket on the same server. */
function otherBucket(data: string): (bucket: string) => string {
  const options = new URLSearchParams(/\?(.*)$/s.exec(data)?.[1] ?? '')
  // These are the store's.
  for (const name of ['queueUrl', 'lockTable']) options.delete(name)
  const query = options.size === 0 ? '' : `?${options.toString()}`
  return (bucket) => `s3://${bucket}${query}`
}
