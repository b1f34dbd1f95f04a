import type { S3Client } from '@aws-sdk/client-s3'
import { invalid } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/ids.ts'
import { checkKey, MAX_KEY_BYTES } from '../../ports/object-key.ts'
import type { Logger } from '../../ports/telemetry.ts'
import type { Requests } from './aws-requests.ts'
import type { S3Place } from './s3-place.ts'

/** What the parts of the S3 driver share. */
export interface S3Bucket {
  client: S3Client
  /** Adds no checksum by itself. */
  presigner: () => S3Client
  clock: Clock
  requests: Requests
  ids: Ids
  log: Logger
  place: S3Place
}

/** The object's key in the bucket. @throws SiltstoneError `invalid` (bad-key) */
export function bucketKey({ place }: S3Bucket, key: string): string {
  checkKey(key)
  const whole = place.prefix + key
  if (place.prefix !== '' && Buffer.byteLength(whole) > MAX_KEY_BYTES)
    throw invalid(
      'bad-key',
      `The object key ${JSON.stringify(key)} is too long below ${place.prefix}: at most ${MAX_KEY_BYTES} bytes in all.`,
      { field: 'key' },
    )
  return whole
}

/** For messages. */
export function s3Url({ place }: S3Bucket, key = ''): string {
  return `s3://${place.bucket}/${place.prefix}${key}`
}
