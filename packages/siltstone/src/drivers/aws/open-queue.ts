/** A queue of SQS by its URL, apart from any store: notifications of a bucket, for example. */
import { invalid } from '../../errors.ts'
import { environmentVariables } from '../../host/process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { Requests } from './aws-requests.ts'
import type { S3EnvironmentOptions } from './environment.ts'
import { endpointOf } from './s3-place.ts'
import { sqsClient } from './sqs-client.ts'
import { SqsQueue } from './sqs-queue.ts'

/** The host of a queue on AWS names its region. */
const REGION = /^sqs\.([a-z0-9-]+)\.amazonaws\.com/

/**
 * Makes no request.
 * @param url `https://sqs.<region>.amazonaws.com/<account>/<name>`
 * @throws SiltstoneError `invalid` (bad-queue-url)
 */
export function openSqsQueue(url: string, options: S3EnvironmentOptions = {}): SqsQueue {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw invalid(
      'bad-queue-url',
      `${JSON.stringify(url)} is not the URL of a queue: give https://sqs.<region>.amazonaws.com/<account>/<name>.`,
      { field: 'queue' },
    )
  const { clock = systemClock, random = systemRandom, log = silentLogger, metrics = noMetrics } = options
  const variables = options.variables ?? environmentVariables()
  const endpoint = endpointOf('SQS', variables)
  const region =
    REGION.exec(new URL(url).host)?.[1] ||
    variables['AWS_REGION'] ||
    variables['AWS_DEFAULT_REGION'] ||
    (endpoint === undefined ? undefined : 'us-east-1')
  const place = { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
  const requests = new Requests('sqs', { clock, random, log, metrics }, options.limits)
  return new SqsQueue(url, { client: sqsClient(place, { ...options, log }), clock, requests })
}
