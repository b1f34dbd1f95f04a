import { CreateBucketCommand, DeleteBucketCommand, HeadBucketCommand, S3ServiceException } from '@aws-sdk/client-s3'
import { conflict } from '../../errors.ts'
import { environmentVariables } from '../../host/process.ts'
import { silentLogger } from '../../ports/telemetry.ts'
import type { S3EnvironmentOptions } from './environment.ts'
import { codeOf, refusedError, statusOf } from './failure.ts'
import { s3Client } from './s3-client.ts'
import { parseS3Place } from './s3-place.ts'

/** Where a bucket is made without a location constraint, and is refused with one. */
const FIRST_REGION = 'us-east-1'

/**
 * Makes the bucket of a place if there is none.
 * @returns whether it was made
 * @throws SiltstoneError `unavailable` (access-denied, …) as the requests fail
 */
export async function makeS3Bucket(url: string, options: S3EnvironmentOptions = {}): Promise<boolean> {
  const place = parseS3Place(url, options.variables ?? environmentVariables())
  const client = s3Client(place, { ...options, log: options.log ?? silentLogger })
  const { bucket } = place
  try {
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }))
      return false
    } catch (error) {
      if (statusOf(error) !== 404) throw error
    }
    const region = await client.config.region()
    await client.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ...(region !== FIRST_REGION && { CreateBucketConfiguration: { LocationConstraint: region as never } }),
      }),
    )
    return true
  } catch (cause) {
    // Another process was first.
    if (cause instanceof S3ServiceException && cause.name === 'BucketAlreadyOwnedByYou') return false
    throw refusedError(cause, { doing: `make the bucket ${bucket}` })
  } finally {
    client.destroy()
  }
}

/**
 * Deletes the empty bucket of a place. One that is not there is deleted.
 * @throws SiltstoneError `conflict` (bucket-not-empty), `unavailable` (access-denied, …) as the request fails
 */
export async function removeS3Bucket(url: string, options: S3EnvironmentOptions = {}): Promise<void> {
  const place = parseS3Place(url, options.variables ?? environmentVariables())
  const client = s3Client(place, { ...options, log: options.log ?? silentLogger })
  const { bucket } = place
  try {
    await client.send(new DeleteBucketCommand({ Bucket: bucket }))
  } catch (cause) {
    if (codeOf(cause) === 'NoSuchBucket') return
    if (codeOf(cause) === 'BucketNotEmpty')
      throw conflict('bucket-not-empty', `The bucket ${bucket} holds objects or versions: delete them first.`, {
        cause,
      })
    throw refusedError(cause, { doing: `delete the bucket ${bucket}` })
  } finally {
    client.destroy()
  }
}
