import type { S3EnvironmentOptions } from './aws/environment.ts'
import type { S3BlobStore } from './aws/s3-blob-store.ts'
import { loadAws } from './load-aws.ts'

export type { S3BlobStore }

/**
 * The blobs of a bucket, `s3://bucket/prefix`, with the drivers for AWS loaded when they are first needed.
 * @throws SiltstoneError as `openS3Blobs` and `loadAws` do
 */
export async function openS3BlobsAt(url: string, options: S3EnvironmentOptions = {}): Promise<S3BlobStore> {
  return (await loadAws()).openS3Blobs(url, options)
}

/** Makes the bucket of a place if there is none. @returns whether it was made @throws as `makeS3Bucket` does */
export async function makeS3BucketAt(url: string, options: S3EnvironmentOptions = {}): Promise<boolean> {
  return (await loadAws()).makeS3Bucket(url, options)
}

/** Deletes the empty bucket of a place. @throws as `removeS3Bucket` does */
export async function removeS3BucketAt(url: string, options: S3EnvironmentOptions = {}): Promise<void> {
  return (await loadAws()).removeS3Bucket(url, options)
}
