/** What the function that makes objects searchable may do. */
import {
  CATALOG_PREFIX,
  DELTA_PREFIX,
  DERIVED_PREFIX,
  KEY_PATTERNS,
  LATEST_POINTER_KEY,
  OBJECT_STATE_PREFIX,
  SNAPSHOT_PREFIX,
} from '../keys.ts'
import { NAME_PREFIX } from '../names.ts'
import { allow, policy, type PolicyDocument, type Statement } from './document.ts'
import { embedding, key, list, logs, objects, type RoleResources, secrets, traces, wakeUp } from './roles.ts'

export interface IngestResources extends RoleResources {
  /** The bucket of the objects. */
  objectBucketArn: string
  /** The queue of its notifications. */
  ingestQueueArn: string
  /** The queue of the recordings that it hands over, if it does. */
  mediaQueueArn?: string | undefined
  /** What it starts for recordings that take long, if it does. */
  task?: TaskResources | undefined
  /** Whether speech is transcribed by Amazon Transcribe, and where. */
  transcribe?: { account: string; region: string } | undefined
}

export interface TaskResources {
  /** Of all revisions. */
  definitionArn: string
  clusterArn: string
  /** Of the process in a task, and of what starts it. */
  roleArns: readonly string[]
}

/** A caller of RunTask hands the roles of the task over to it. */
function startTasks(task: TaskResources | undefined): Statement[] {
  if (task === undefined) return []
  return [
    allow('StartTasks', ['ecs:RunTask'], [task.definitionArn], { ArnEquals: { 'ecs:cluster': task.clusterArn } }),
    allow('HandOverTaskRoles', ['iam:PassRole'], task.roleArns, {
      StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
    }),
  ]
}

/** Results go to the bucket of objects alone; Transcribe reads and writes with the rights of the caller. */
function transcribing({ transcribe, objectBucketArn }: IngestResources): Statement[] {
  if (transcribe === undefined) return []
  const { account, region } = transcribe
  return [
    allow('Transcribe', ['transcribe:StartTranscriptionJob'], ['*'], {
      StringEquals: { 'transcribe:OutputBucketName': objectBucketArn.split(':').at(-1) ?? '' },
    }),
    allow(
      'FollowTranscripts',
      ['transcribe:GetTranscriptionJob', 'transcribe:DeleteTranscriptionJob'],
      [`arn:aws:transcribe:${region}:${account}:transcription-job/${NAME_PREFIX}*`],
    ),
  ]
}

/**
 * Reads objects and writes what it makes of them below `derived/`, in the bucket of objects: it cannot change or delete an
 * object. In the bucket of the store it writes records and the states of processing, as the API does, and deletes nothing
 * but deltas that its entries have taken.
 */
export function ingestPolicy(resources: IngestResources): PolicyDocument {
  const own = { bucketArn: resources.objectBucketArn }
  return policy(
    allow('ReadObjects', ['s3:GetObject'], objects(own, '*')),
    allow(
      'MakeDerived',
      ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      objects(own, `${DERIVED_PREFIX}*`),
    ),
    allow('ListObjects', ['s3:ListBucket'], [resources.objectBucketArn]),
    allow(
      'TakeNotifications',
      [
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:ChangeMessageVisibility',
        'sqs:GetQueueAttributes',
        // What has to wait, and what a sweep found.
        'sqs:SendMessage',
      ],
      [resources.ingestQueueArn],
    ),
    allow(
      'Read',
      ['s3:GetObject'],
      objects(resources, KEY_PATTERNS.deltas, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog, KEY_PATTERNS.objectStates),
    ),
    allow(
      'Write',
      ['s3:PutObject'],
      objects(
        resources,
        KEY_PATTERNS.log,
        KEY_PATTERNS.taken,
        LATEST_POINTER_KEY,
        KEY_PATTERNS.catalog,
        KEY_PATTERNS.due,
        KEY_PATTERNS.objectStates,
      ),
    ),
    allow('AbortUploads', ['s3:AbortMultipartUpload'], objects(resources, KEY_PATTERNS.taken)),
    allow('ClearInboxes', ['s3:DeleteObject'], objects(resources, KEY_PATTERNS.inbox)),
    list(resources, DELTA_PREFIX, SNAPSHOT_PREFIX, CATALOG_PREFIX, OBJECT_STATE_PREFIX),
    wakeUp(resources),
    key(resources, 'kms:GenerateDataKey', 'kms:Decrypt'),
    secrets(resources),
    embedding(resources),
    resources.mediaQueueArn === undefined
      ? undefined
      : allow('HandOverRecordings', ['sqs:SendMessage'], [resources.mediaQueueArn]),
    ...startTasks(resources.task),
    ...transcribing(resources),
    logs(resources),
    traces(),
  )
}
