/** Siltstone in one AWS account: bucket, queue, lock table, roles, functions, schedule, alarms. See docs/how-to/aws/README.md. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as pulumi from '@pulumi/pulumi'
import {
  checkEnvironment,
  type CommonArgs,
  DeltaQueue,
  type EmbedderChoice,
  Functions,
  IngestQueue,
  IngestWorker,
  type LogLevel,
  LockTable,
  MediaWorker,
  Monitoring,
  ObjectBucket,
  type ObjectRule,
  RegistryFunction,
  Roles,
  Schedule,
  Server,
  type LifecycleOptions,
  type MediaWorkerArgs,
  type UrlAuthorization,
  VectorBucket,
} from '@siltstone/infra'

const config = new pulumi.Config()
/** The defaults in Pulumi.yaml are the empty text for "not set". */
const optional = (key: string): string | undefined => config.get(key) || undefined
const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }

const stack = pulumi.getStack()
const named = ['dev', 'test', 'prod'].includes(stack) ? stack : 'prod'
const shared: CommonArgs = { environment: checkEnvironment(optional('environment') ?? named), stack }
const kmsKeyArn = optional('kmsKeyArn')
const boundary = given('permissionsBoundaryArn', optional('permissionsBoundaryArn'))
const intervalMinutes = config.getNumber('scheduleMinutes') ?? 15

const authorization = given('urlAuthorization', optional('urlAuthorization') as UrlAuthorization | undefined)
const embedder = given('embedder', embedderOf(optional('embedder')))

function embedderOf(provider: string | undefined): EmbedderChoice | undefined {
  if (provider === undefined) return undefined
  const dimensions = config.getNumber('embedderDimensions')
  return {
    provider: provider as EmbedderChoice['provider'],
    ...given('model', optional('embedderModel')),
    ...given('dimensions', dimensions),
  }
}

/** `{project}-{environment}-vector-{purpose}` instead of the stack's name; see docs/how-to/aws/purposes.md. */
const project = optional('project')
const embeddingPurposes = (optional('embeddingPurposes') ?? '').split(',').filter((each) => each !== '')

const storage = new VectorBucket('vectors', {
  ...shared,
  ...given('project', project),
  ...given('purpose', optional('purpose')),
  ...given('suffix', optional('suffix')),
  ...given('kmsKeyArn', kmsKeyArn),
  initialObjects: config.getBoolean('initialObjects') ?? true,
  lifecycle: {
    ...given('tiering', optional('tiering') as LifecycleOptions['tiering']),
    ...given('historyDays', config.getNumber('historyDays')),
    ...given('segmentHistoryDays', config.getNumber('segmentHistoryDays')),
    ...given('deltaHistoryDays', config.getNumber('deltaHistoryDays')),
    ...given('archiveHistoryAfterDays', config.getNumber('archiveHistoryAfterDays')),
  },
})
/** Buckets of embeddings by id only, for programs that get and put them: no queue, no functions. */
const embeddings = Object.fromEntries(
  embeddingPurposes.map((purpose) => [
    purpose,
    new VectorBucket(`embeddings-${purpose}`, {
      ...shared,
      ...given('project', project),
      purpose,
      ...given('suffix', optional('suffix')),
      ...given('kmsKeyArn', kmsKeyArn),
      initialObjects: false,
    }),
  ]),
)
const queue = new DeltaQueue('delta', { ...shared, bucket: storage })
const locks = new LockTable('locks', shared)
const roles = new Roles('roles', {
  ...shared,
  ...boundary,
  ...given('kmsKeyArn', kmsKeyArn),
  ...authorization,
  ...embedder,
  bucketArn: storage.bucketArn,
  queueArn: queue.queueArn,
  lockTableArn: locks.tableArn,
})
const codeDirectory = optional('codeDirectory') ?? fileURLToPath(new URL('../packages/functions/dist', import.meta.url))
const modelDirectory = join(codeDirectory, 'layer')
const functions = new Functions('functions', {
  ...shared,
  codeDirectory,
  ...given('modelDirectory', existsSync(modelDirectory) ? modelDirectory : undefined),
  roles: roles.roles,
  bucketName: storage.bucketName,
  queueUrl: queue.queueUrl,
  queueArn: queue.queueArn,
  lockTableName: locks.tableName,
  visibilityTimeoutSeconds: queue.visibilityTimeoutSeconds,
  ...authorization,
  ...embedder,
  ...given('openaiApiKey', config.getSecret('openaiApiKey')),
  ...given('urlConcurrency', config.getNumber('urlConcurrency')),
  ...given('tokens', config.getSecret('tokens')),
  ...given('logLevel', optional('logLevel') as LogLevel | undefined),
  ...given('maxConcurrentCompactions', config.getNumber('maxConcurrentCompactions')),
})
const { producer, compactor, query, api } = functions.functions
if (!producer || !compactor || !query || !api) throw new Error('a function is missing from the component Functions')
const schedule = new Schedule('schedule', { ...shared, ...boundary, compactorArn: compactor.arn, intervalMinutes })
/** What each further function over the store is given. */
const overStore = {
  ...shared,
  ...boundary,
  ...given('kmsKeyArn', kmsKeyArn),
  ...embedder,
  codeDirectory,
  bucket: storage,
  deltaQueue: queue,
  lockTable: locks,
  ...(functions.modelLayerArn !== undefined && { layers: [functions.modelLayerArn] }),
  ...given('logLevel', optional('logLevel') as LogLevel | undefined),
}
/** Uploads that become searchable; see docs/how-to/aws/objects.md. */
const objects = config.getBoolean('objects') === true ? createObjects() : undefined

function createObjects() {
  const prefix = optional('objectsPrefix') ?? 'uploads/'
  const expireDays = config.getObject<Record<string, number>>('objectsExpireDays') ?? { [prefix]: 30 }
  const bucket = new ObjectBucket('objects', {
    ...shared,
    ...given('suffix', optional('suffix')),
    ...given('kmsKeyArn', kmsKeyArn),
    corsOrigins: (optional('objectsOrigins') ?? '').split(',').filter((each) => each !== ''),
    expireDays,
  })
  const notifications = new IngestQueue('ingest', {
    ...shared,
    bucket,
    prefix,
  })
  const shares = {
    objects: bucket,
    ...given('collection', optional('objectsCollection')),
    expireDays,
    ...given('onExpire', optional('objectsOnExpire') as 'keep' | 'delete' | undefined),
    ...given('rules', config.getObject<ObjectRule[]>('objectsRules')),
  }
  const image = optional('objectsMediaImage')
  const media = image === undefined ? undefined : createMedia(image, prefix, shares)
  const worker = new IngestWorker('ingest-worker', {
    ...overStore,
    ...shares,
    queue: notifications,
    ...given('media', media),
    ...given('sweepHours', config.getNumber('objectsSweepHours')),
    ...given('maxConcurrency', config.getNumber('objectsMaxConcurrency')),
  })
  return { bucket, notifications, worker, media }
}

/** Recordings, by an image with ffmpeg and a model of speech, and by tasks where subnets for them are named. */
function createMedia(image: string, prefix: string, shares: Pick<MediaWorkerArgs, 'objects'>) {
  const list = (text: string | undefined): string[] => (text ?? '').split(',').filter((each) => each !== '')
  const subnets = list(optional('objectsTaskSubnets'))
  return new MediaWorker('media', {
    ...overStore,
    ...shares,
    image,
    prefix,
    ...given('maxConcurrency', config.getNumber('objectsMediaConcurrency')),
    ...(config.getBoolean('objectsTranscribe') === true && {
      transcribe: given('language', optional('objectsTranscribeLanguage')),
    }),
    ...(subnets.length > 0 && {
      task: {
        subnets,
        securityGroups: list(optional('objectsTaskSecurityGroups')),
        executionRoleArn: config.require('serverExecutionRoleArn'),
        ...given('assignPublicIp', config.getBoolean('objectsTaskPublicIp')),
        ...given('aboveMb', config.getNumber('objectsTaskAboveMb')),
      },
    }),
  })
}

/** Models, datasets and code; see docs/how-to/aws/registry.md. */
const registry =
  config.getBoolean('registry') !== true
    ? undefined
    : new RegistryFunction('registry', {
        ...overStore,
        adminPassword: config.requireSecret('registryAdminPassword'),
        ...given('adminUser', optional('registryAdminUser')),
        ...given('hubToken', config.getSecret('registryHubToken')),
        ...given('githubToken', config.getSecret('registryGithubToken')),
        ...given('variables', config.getObject<Record<string, string>>('registryVariables')),
        ...given('concurrency', config.getNumber('registryConcurrency')),
        ...given('maintainHours', config.getNumber('registryMaintainHours')),
        ...given('gcHours', config.getNumber('registryGcHours')),
        ...given('keepDays', config.getNumber('registryKeepDays')),
        ...given('logLevel', optional('logLevel') as LogLevel | undefined),
      })

const monitoring = new Monitoring('monitoring', {
  ...shared,
  objects: objects !== undefined,
  media: objects?.media !== undefined,
  ...(registry !== undefined && { registry: given('maintainHours', config.getNumber('registryMaintainHours')) }),
  intervalMinutes,
  ...given('email', optional('alarmEmail')),
  ...given('alarmTopicArn', optional('alarmTopicArn')),
})

const serverImage = optional('serverImage')
const server =
  serverImage === undefined
    ? undefined
    : new Server('server', {
        ...shared,
        ...boundary,
        ...given('kmsKeyArn', kmsKeyArn),
        image: serverImage,
        bucketName: storage.bucketName,
        bucketArn: storage.bucketArn,
        queue: { url: queue.queueUrl, arn: queue.queueArn },
        lockTable: { name: locks.tableName, arn: locks.tableArn },
        tokens: config.requireSecret('serverTokens'),
        executionRoleArn: config.require('serverExecutionRoleArn'),
        infrastructureRoleArn: config.require('serverInfrastructureRoleArn'),
        ...given('maxTasks', config.getNumber('serverMaxTasks')),
      })

export const bucket_name = storage.bucketName
export const bucket_arn = storage.bucketArn
export const delta_prefix = storage.deltaPrefix
export const snapshot_prefix = storage.snapshotPrefix
export const latest_pointer_key = storage.latestPointerKey
export const lifecycle_rules = storage.lifecycleRules
export const queue_url = queue.queueUrl
export const dead_letter_queue_url = queue.deadLetterQueueUrl
export const lock_table_name = locks.tableName
export const producer_function_name = producer.name
export const compactor_function_name = compactor.name
export const query_function_name = query.name
export const api_function_name = api.name
export const query_url = functions.urls.query
export const api_url = functions.urls.api
export const query_caller_policy = functions.callerPolicies.query
export const api_caller_policy = functions.callerPolicies.api
export const schedule_name = schedule.scheduleName
export const dashboard_name = monitoring.dashboardName
/** By purpose: `VECTOR_BUCKET_NAME` of the programs that use it. */
export const vector_bucket_names = Object.fromEntries(
  Object.entries(embeddings).map(([purpose, bucket]) => [purpose, bucket.bucketName]),
)
export const object_bucket_name = objects?.bucket.bucketName
export const ingest_queue_url = objects?.notifications.queueUrl
export const ingest_dead_letter_queue_url = objects?.notifications.deadLetterQueueUrl
export const ingest_function_name = objects?.worker.functionName
export const media_function_name = objects?.media?.functionName
export const media_queue_url = objects?.media?.queueUrl
export const media_dead_letter_queue_url = objects?.media?.deadLetterQueueUrl
export const media_task_definition = objects?.media?.taskDefinition
export const ingest_schedule_name = objects?.worker.scheduleName
export const registry_url = registry?.url
export const registry_function_name = registry?.functionName
export const registry_schedule_name = registry?.scheduleName
export const server_url = server?.url
export const alarm_topic_arn = monitoring.alarmTopicArn
