/** The blobs of a user's own bucket: `s3://bucket/prefix` (see `s3-place.ts` for the options). */
import { environmentVariables } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { Requests } from './aws-requests.ts'
import type { S3Bucket } from './s3-bucket.ts'
import { S3BlobStore } from './s3-blob-store.ts'
import { s3Client } from './s3-client.ts'
import type { S3EnvironmentOptions } from './environment.ts'
import { parseS3Place } from './s3-place.ts'

/** Makes no request. @throws SiltstoneError `invalid` (bad-s3-url) */
export function openS3Blobs(url: string, options: S3EnvironmentOptions = {}): S3BlobStore {
  const place = parseS3Place(url, options.variables ?? environmentVariables())
  const { clock = systemClock, random = systemRandom, log = silentLogger, metrics = noMetrics } = options
  const parts = { clock, random, log, metrics }
  let presigner: S3Bucket['client'] | undefined
  return new S3BlobStore({
    place,
    clock,
    log,
    ids: systemIds(clock, random),
    client: s3Client(place, { ...options, log }),
    presigner: () => (presigner ??= s3Client({ ...place, checksums: 'required' }, { ...options, log })),
    requests: new Requests('s3', parts, options.limits),
  })
}
