/** Everything the engine needs, on AWS: `s3://bucket/prefix?…` (see `s3-place.ts` for the options). */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSiltstoneError, unsupported } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import type { Ids } from '../../ports/ids.ts'
import type { Leases } from '../../ports/lease.ts'
import { DirectoryScratch } from '../../host/directory-scratch.ts'
import { MemoryLeases } from '../memory/memory-leases.ts'
import { MemoryQueue } from '../memory/memory-queue.ts'
import { environmentVariables } from '../../host/process.ts'
import type { Queue } from '../../ports/queue.ts'
import type { Random } from '../../ports/random.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { type Logger, type Metrics, noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { ThreadQueue } from '../memory/thread-queue.ts'
import type { ClientOptions, ServicePlace } from './client-config.ts'
import { dynamoDbClient } from './dynamodb-client.ts'
import { DynamoDbLeases } from './dynamodb-leases.ts'
import { ObjectLeases } from './object-leases.ts'
import { probeConditions } from '../../ports/probe-conditions.ts'
import { type RequestLimits, type RequestParts, Requests } from './aws-requests.ts'
import { S3ObjectStore } from './s3-object-store.ts'
import { endpointOf, parseS3Place, type S3Place } from './s3-place.ts'
import { sqsClient } from './sqs-client.ts'
import { SqsQueue } from './sqs-queue.ts'

export interface S3EnvironmentOptions extends Pick<ClientOptions, 'onClient' | 'maxSockets'> {
  /** Write nothing; queue and leases are empty ones in memory. */
  readOnly?: boolean
  /** Default: the machine's. */
  clock?: Clock
  /** Default: the machine's. */
  random?: Random
  log?: Logger
  metrics?: Metrics
  limits?: RequestLimits
  /** Options that the URL leaves out. Default: the variables of this process. */
  variables?: Readonly<Record<string, string | undefined>>
}

interface Parts extends RequestParts {
  ids: Ids
}

interface Opening {
  place: S3Place
  parts: Parts
  options: S3EnvironmentOptions
  variables: Readonly<Record<string, string | undefined>>
}

/**
 * Without a queue, wake-up calls stay within this process; without a table, leases are objects of the bucket. Queue and
 * leases only save work. Close it with `closeEnvironment`.
 * @throws SiltstoneError `invalid` (bad-s3-url), `unsupported` (no-conditional-puts), `unavailable` (aws-unreachable,
 *   throttled, probe-unclear) for a server other than AWS; other requests can fail only when the environment is used
 */
export async function openS3Environment(url: string, options: S3EnvironmentOptions = {}): Promise<Environment> {
  const variables = options.variables ?? environmentVariables()
  const place = parseS3Place(url, variables)
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const parts = {
    clock,
    random,
    ids: systemIds(clock, random),
    log: options.log ?? silentLogger,
    metrics: options.metrics ?? noMetrics,
  }
  const store = S3ObjectStore.open(place, { ...options, ...parts })
  if (options.readOnly === true)
    return { ...parts, store, queue: new MemoryQueue({ clock }), leases: new MemoryLeases({ clock }) }
  if (place.endpoint !== undefined) await requireConditions(store, parts)
  const opening = { place, parts, options, variables }
  const scratch = new DirectoryScratch(join(tmpdir(), 'siltstone-scratch'), parts.ids)
  return { ...parts, store, queue: queueOf(opening), leases: leasesOf(opening, store), scratch }
}

function queueOf({ place, parts, options, variables }: Opening): Queue {
  const { clock } = parts
  if (place.queueUrl === undefined) return new ThreadQueue(`s3://${place.bucket}/${place.prefix}`, { clock })
  const client = sqsClient(servicePlace(place, endpointOf('SQS', variables)), { ...options, ...parts })
  return new SqsQueue(place.queueUrl, { client, clock, requests: new Requests('sqs', parts, options.limits) })
}

function leasesOf({ place, parts, options, variables }: Opening, store: S3ObjectStore): Leases {
  const { clock } = parts
  if (place.lockTable === undefined) return new ObjectLeases(store.privateFolder(), { clock })
  const client = dynamoDbClient(servicePlace(place, endpointOf('DYNAMODB', variables)), { ...options, ...parts })
  return new DynamoDbLeases(place.lockTable, {
    client,
    clock,
    requests: new Requests('dynamodb', parts, options.limits),
  })
}

function servicePlace({ region }: S3Place, endpoint: string | undefined): ServicePlace {
  return { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
}

const WORKING_STORES =
  'Amazon S3, Cloudflare R2, MinIO or another server with If-Match and If-None-Match on puts, or a directory'

/** AWS offers conditional puts everywhere since 2024; other servers are tested. */
async function requireConditions(store: S3ObjectStore, { ids, log }: Parts): Promise<void> {
  let problem: string | undefined
  try {
    problem = await probeConditions(store.privateFolder(), () => `probe/${ids.ulid()}`)
  } catch (error) {
    // The role may write only certain keys.
    if (!isSiltstoneError(error) || error.code !== 'access-denied') {
      await store.close()
      throw error
    }
    log.debug('conditions_not_probed', { error: error.message })
    return
  }
  if (problem === undefined) return
  await store.close()
  throw unsupported(
    'no-conditional-puts',
    `${store.description} is on a server that does not honour conditional puts, so writes would get lost. ${problem} Use ${WORKING_STORES}; docs/reference/stores.md says what each store offers.`,
  )
}
