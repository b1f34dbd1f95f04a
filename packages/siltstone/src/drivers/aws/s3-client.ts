import { S3Client } from '@aws-sdk/client-s3'
import { type ClientOptions, clientConfig } from './client-config.ts'
import type { S3Place } from './s3-place.ts'

export function s3Client(place: S3Place, options: ClientOptions): S3Client {
  const checksums = place.checksums === 'required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED'
  const client = new S3Client({
    ...clientConfig(place, options),
    forcePathStyle: place.pathStyle,
    // A redirect means that nothing was done in the wrong region.
    followRegionRedirects: true,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
  })
  options.onClient?.(client)
  return client
}
