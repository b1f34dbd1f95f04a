/**
 * What each function may do. No runtime role may delete versions of objects, so objects that a faulty or stolen role
 * deletes or overwrites stay in the bucket's history.
 */
import { CATALOG_PREFIX, DELTA_PREFIX, DUE_PREFIX, EMBEDDING_PREFIX, KEY_PATTERNS, SNAPSHOT_PREFIX } from '../keys.ts'
import type { FunctionName } from '../names.ts'
import { allow, deny, policy, type PolicyDocument, type Statement } from './document.ts'

export interface RoleResources {
  bucketArn: string
  queueArn: string
  lockTableArn: string
  /** The function's own log group. */
  logGroupArn: string
  /** The bucket's customer key, if it has one. */
  kmsKeyArn?: string | undefined
  /** Parameters with secrets that the function reads. */
  parameterArns?: readonly string[] | undefined
  /** The model of Bedrock that embeds texts, for functions that embed. */
  bedrockModelArn?: string | undefined
}

export const objects = ({ bucketArn }: Pick<RoleResources, 'bucketArn'>, ...patterns: readonly string[]): string[] =>
  patterns.map((pattern) => `${bucketArn}/${pattern}`)

/**
 * S3 answers 404 for a missing key only to principals that may list the bucket, and 403 to others. That check carries no
 * prefix, hence IfExists: a listing that names a prefix must name one of these.
 */
export const list = ({ bucketArn }: Pick<RoleResources, 'bucketArn'>, ...prefixes: readonly string[]): Statement =>
  allow('List', ['s3:ListBucket'], [bucketArn], {
    StringLikeIfExists: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) },
  })

export const logs = ({ logGroupArn }: Pick<RoleResources, 'logGroupArn'>): Statement =>
  allow('Logs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`${logGroupArn}:*`])

/** X-Ray has no resources. Metrics go through the log (embedded metric format) and need no permission. */
export const traces = (): Statement => allow('Traces', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*'])

export const key = (
  { kmsKeyArn }: Pick<RoleResources, 'kmsKeyArn'>,
  ...actions: readonly string[]
): Statement | undefined => (kmsKeyArn === undefined ? undefined : allow('Key', actions, [kmsKeyArn]))

/** Parameters are encrypted with the key that Systems Manager keeps for the account, which needs no permission of its own. */
export const secrets = ({ parameterArns = [] }: Pick<RoleResources, 'parameterArns'>): Statement | undefined =>
  parameterArns.length === 0 ? undefined : allow('ReadSecrets', ['ssm:GetParameter'], parameterArns)

export const embedding = ({ bedrockModelArn }: Pick<RoleResources, 'bedrockModelArn'>): Statement | undefined =>
  bedrockModelArn === undefined ? undefined : allow('Embed', ['bedrock:InvokeModel'], [bedrockModelArn])

export const wakeUp = ({ queueArn }: Pick<RoleResources, 'queueArn'>): Statement =>
  allow('WakeUp', ['sqs:SendMessage'], [queueArn])

const abortUploads = (resources: RoleResources): Statement =>
  allow('AbortUploads', ['s3:AbortMultipartUpload'], objects(resources, KEY_PATTERNS.snapshots))

/** Requests for single items always carry their key; those for many (scan, batches, transactions) are not allowed. */
export const lock = ({ lockTableArn }: Pick<RoleResources, 'lockTableArn'>): Statement =>
  allow(
    'Lock',
    ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
    [lockTableArn],
    { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['LOCK#*'] } },
  )

/**
 * Deltas into inboxes, a wake-up call, and the embedding store, which spares the embedding provider. It cannot read
 * records, not even those it wrote. The listing lets S3 answer 404 for an embedding that is not stored; it also shows the
 * names of keys.
 */
export const producerPolicy = (resources: RoleResources): PolicyDocument =>
  policy(
    allow('DropDeltas', ['s3:PutObject'], objects(resources, KEY_PATTERNS.inbox, KEY_PATTERNS.embeddings)),
    allow('ReadEmbeddings', ['s3:GetObject'], objects(resources, KEY_PATTERNS.embeddings)),
    list(resources, EMBEDDING_PREFIX),
    wakeUp(resources),
    key(resources, 'kms:GenerateDataKey', 'kms:Decrypt'),
    secrets(resources),
    embedding(resources),
    logs(resources),
    traces(),
  )

/** Folds the log into snapshots, and deletes objects that no snapshot reaches. */
export const compactorPolicy = (resources: RoleResources): PolicyDocument =>
  policy(
    allow(
      'Read',
      ['s3:GetObject'],
      objects(resources, KEY_PATTERNS.deltas, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog, KEY_PATTERNS.due),
    ),
    // Entries that sequence inboxes; files, manifests and pointers of snapshots; unfinished steps of the catalog.
    allow(
      'Write',
      ['s3:PutObject'],
      objects(resources, KEY_PATTERNS.log, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog, KEY_PATTERNS.due),
    ),
    deny('InboxesBelongToProducers', ['s3:PutObject'], objects(resources, KEY_PATTERNS.inbox)),
    abortUploads(resources),
    // Never pointers: the pointer of a collection is kept permanently, even after the collection is deleted.
    allow(
      'Collect',
      ['s3:DeleteObject'],
      objects(resources, KEY_PATTERNS.log, ...KEY_PATTERNS.immutable, KEY_PATTERNS.catalog, KEY_PATTERNS.due),
    ),
    list(resources, DELTA_PREFIX, SNAPSHOT_PREFIX, CATALOG_PREFIX, DUE_PREFIX),
    allow(
      'TakeWakeUps',
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
      [resources.queueArn],
    ),
    wakeUp(resources),
    lock(resources),
    key(resources, 'kms:GenerateDataKey', 'kms:Decrypt'),
    logs(resources),
    traces(),
  )

/** Reads. */
export const queryPolicy = (resources: RoleResources): PolicyDocument =>
  policy(
    allow(
      'Read',
      ['s3:GetObject'],
      objects(resources, KEY_PATTERNS.deltas, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog, KEY_PATTERNS.embeddings),
    ),
    list(resources, DELTA_PREFIX, SNAPSHOT_PREFIX, CATALOG_PREFIX, EMBEDDING_PREFIX),
    key(resources, 'kms:Decrypt'),
    secrets(resources),
    embedding(resources),
    logs(resources),
    traces(),
  )

/**
 * The whole API: writes to the log and the catalog, and folds under the lock when a collection is forked. Only the
 * compactor collects garbage.
 */
export const apiPolicy = (resources: RoleResources): PolicyDocument =>
  policy(
    allow(
      'Read',
      ['s3:GetObject'],
      objects(resources, KEY_PATTERNS.deltas, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog, KEY_PATTERNS.embeddings),
    ),
    allow(
      'Write',
      ['s3:PutObject'],
      objects(
        resources,
        KEY_PATTERNS.log,
        KEY_PATTERNS.snapshots,
        KEY_PATTERNS.catalog,
        KEY_PATTERNS.due,
        KEY_PATTERNS.embeddings,
      ),
    ),
    abortUploads(resources),
    allow('Drop', ['s3:DeleteObject'], objects(resources, KEY_PATTERNS.catalog, KEY_PATTERNS.embeddings)),
    // Deltas that its entries have taken.
    allow('ClearInboxes', ['s3:DeleteObject'], objects(resources, KEY_PATTERNS.inbox)),
    list(resources, DELTA_PREFIX, SNAPSHOT_PREFIX, CATALOG_PREFIX, EMBEDDING_PREFIX),
    wakeUp(resources),
    lock(resources),
    key(resources, 'kms:GenerateDataKey', 'kms:Decrypt'),
    secrets(resources),
    embedding(resources),
    logs(resources),
    traces(),
  )

export const ROLE_POLICIES: Readonly<Record<FunctionName, (resources: RoleResources) => PolicyDocument>> = {
  producer: producerPolicy,
  compactor: compactorPolicy,
  query: queryPolicy,
  api: apiPolicy,
}

/** Policy of the schedule's role. */
export const schedulePolicy = (functionArn: string): PolicyDocument =>
  policy(allow('Invoke', ['lambda:InvokeFunction'], [functionArn]))

/** For people and services that call a function's URL with their own credentials. */
export const callerPolicy = (functionArn: string): PolicyDocument =>
  policy(
    allow('CallUrl', ['lambda:InvokeFunctionUrl'], [functionArn], {
      StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' },
    }),
    // AWS requires both since October 2025; the condition excludes direct invocations.
    allow('InvokeThroughUrl', ['lambda:InvokeFunction'], [functionArn], {
      Bool: { 'lambda:InvokedViaFunctionUrl': 'true' },
    }),
  )
