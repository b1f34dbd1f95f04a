/**
 * The permissions of each subject as a table: an evaluator of IAM policies and a server that enforces them are given the
 * same rows. `{bucket}`, `{queue}`, `{deadLetterQueue}`, `{table}`, `{function}` (the compactor), `{objects}` (the bucket of
 * users' objects; `{objectsName}` its name), `{ingestQueue}`, `{mediaQueue}`, `{cluster}`, `{taskDefinition}`, `{account}` and `{region}` stand for those of the stack.
 */
import type { FunctionName } from '../names.ts'
import {
  COLLECTION,
  type KeyKind,
  KEYS,
  lockKey,
  object,
  type Row,
  type Subject,
  type Verdict,
  row,
} from './permission-row.ts'
import { mediaRows } from './media-permissions.ts'
import { registryRows } from './registry-permissions.ts'

const CREATES = { 's3:ObjectCreationOperation': 'true' } as const
const IF_ABSENT = { ...CREATES, 's3:if-none-match': '*' } as const
const IF_MATCH = { ...CREATES, 's3:if-match': '"etag"' } as const
/** Written once and never overwritten. */
const IMMUTABLE: readonly KeyKind[] = ['entry', 'inbox', 'manifest', 'segment', 'overlay', 'bitmap', 'list', 'taken']
const ALL = Object.keys(KEYS) as KeyKind[]
/** Without the states of users' objects, which only `ingest` knows, and what only `registry` does. */
const REGISTRY: readonly KeyKind[] = ['artifact', 'blob', 'user', 'token']
const RECORDS = ALL.filter((kind) => kind !== 'objectState' && !REGISTRY.includes(kind))
const INDEX = RECORDS.filter((kind) => kind !== 'due' && kind !== 'embedding')

type Program = FunctionName | 'ingest' | 'media' | 'registry'

/** What each function may do with each kind of object. */
const OBJECTS: Readonly<Record<Program, { read: KeyKind[]; write: KeyKind[]; remove: KeyKind[] }>> = {
  producer: { read: ['embedding'], write: ['inbox', 'embedding'], remove: [] },
  compactor: {
    read: RECORDS.filter((kind) => kind !== 'embedding'),
    write: RECORDS.filter((kind) => kind !== 'inbox' && kind !== 'embedding'),
    remove: RECORDS.filter((kind) => !['store', 'pointer', 'embedding'].includes(kind)),
  },
  query: { read: RECORDS.filter((kind) => kind !== 'due'), write: [], remove: [] },
  api: {
    read: RECORDS.filter((kind) => kind !== 'due'),
    // Inboxes too: a writer that loses a race hands its records over.
    write: RECORDS,
    // Deltas that its entries have taken.
    remove: ['inbox', 'tenant', 'collection', 'embedding'],
  },
  ingest: {
    read: [...INDEX, 'objectState'],
    // Records and states. Snapshots are the compactor's, but a copy of a large delta that an entry takes.
    write: ['store', 'entry', 'inbox', 'taken', 'tenant', 'collection', 'due', 'objectState'],
    remove: ['inbox'],
  },
  media: {
    read: [...INDEX, 'objectState'],
    write: ['store', 'entry', 'inbox', 'taken', 'tenant', 'collection', 'due', 'objectState'],
    remove: ['inbox'],
  },
  registry: {
    read: [...INDEX, ...REGISTRY],
    // Its index, as ingest writes records; all of what is its own.
    write: ['store', 'entry', 'inbox', 'taken', 'tenant', 'collection', ...REGISTRY],
    remove: ['inbox', ...REGISTRY],
  },
}

const allowedIf = (allowed: boolean): Verdict => (allowed ? 'Allowed' : 'ImplicitlyDenied')

function objectRows(subject: Program): Row[] {
  const { read, write, remove } = OBJECTS[subject]
  // The policy of the compactor, which writes the log, denies inboxes explicitly.
  const inbox: Verdict = subject === 'compactor' ? 'ExplicitlyDenied' : 'ImplicitlyDenied'
  return ALL.flatMap((kind): Row[] => [
    { subject, action: 's3:GetObject', resource: object(kind), expected: allowedIf(read.includes(kind)) },
    {
      subject,
      action: 's3:PutObject',
      resource: object(kind),
      context: IF_ABSENT,
      expected: kind === 'inbox' && !write.includes(kind) ? inbox : allowedIf(write.includes(kind)),
    },
    { subject, action: 's3:DeleteObject', resource: object(kind), expected: allowedIf(remove.includes(kind)) },
  ])
}

/** Roles that may write must still use conditional writes and HTTPS. */
function bucketRows(): Row[] {
  const writer = (kind: KeyKind): FunctionName => (kind === 'inbox' ? 'producer' : 'compactor')
  const put = (subject: Subject, kind: KeyKind, context: Row['context'], expected: Verdict): Row => ({
    subject,
    action: 's3:PutObject',
    resource: object(kind),
    ...(context && { context }),
    expected,
  })
  return [
    ...IMMUTABLE.flatMap((kind) => [
      put(writer(kind), kind, CREATES, 'ExplicitlyDenied'),
      put(writer(kind), kind, IF_MATCH, 'ExplicitlyDenied'),
    ]),
    // Parts of a multipart upload carry no condition, its completion does.
    put('compactor', 'segment', { 's3:ObjectCreationOperation': 'false' }, 'Allowed'),
    ...(['pointer', 'tenant', 'collection'] as const).flatMap((kind) => [
      put('compactor', kind, CREATES, 'ExplicitlyDenied'),
      put('compactor', kind, IF_MATCH, 'Allowed'),
    ]),
    put('api', 'entry', CREATES, 'ExplicitlyDenied'),
    put('api', 'pointer', IF_MATCH, 'Allowed'),
    ...(['producer', 'api', 'service'] as const).map((subject) => put(subject, 'embedding', CREATES, 'Allowed')),
    put('service', 'entry', CREATES, 'ExplicitlyDenied'),
    ...(['producer', 'compactor', 'query', 'api', 'service', 'deploy'] as const).map(
      (subject): Row => ({
        subject,
        action:
          subject === 'deploy' ? 's3:GetBucketVersioning' : subject === 'producer' ? 's3:PutObject' : 's3:GetObject',
        resource: subject === 'deploy' ? '{bucket}' : object(subject === 'producer' ? 'inbox' : 'segment'),
        context: { ...(subject === 'producer' && IF_ABSENT), 'aws:SecureTransport': 'false' },
        expected: 'ExplicitlyDenied',
      }),
    ),
  ]
}

function listRows(): Row[] {
  const list = (subject: Subject, prefix: string | undefined, expected: Verdict): Row => ({
    subject,
    action: 's3:ListBucket',
    resource: '{bucket}',
    ...(prefix !== undefined && { context: { 's3:prefix': prefix } }),
    expected,
  })
  return [
    list('producer', `delta/${COLLECTION}/`, 'ImplicitlyDenied'),
    list('producer', 'embeddings/', 'Allowed'),
    list('producer', undefined, 'Allowed'),
    ...(['compactor', 'query', 'api'] as const).flatMap((subject) => [
      list(subject, 'delta/', 'Allowed'),
      list(subject, `delta/${COLLECTION}/inbox/`, 'Allowed'),
      list(subject, `snapshot/${COLLECTION}/`, 'Allowed'),
      list(subject, 'catalog/tenant/', 'Allowed'),
      list(subject, 'embeddings/', subject === 'compactor' ? 'ImplicitlyDenied' : 'Allowed'),
      // What S3 asks to tell a missing key (404) from a forbidden one.
      list(subject, undefined, 'Allowed'),
    ]),
    list('compactor', 'gc-due/', 'Allowed'),
    list('query', 'gc-due/', 'ImplicitlyDenied'),
  ]
}

function serviceRows(): Row[] {
  const each = (
    subjects: readonly Subject[],
    action: string,
    resource: string,
    expected: Verdict,
    context?: Row['context'],
  ) => subjects.map((subject): Row => ({ subject, action, resource, expected, ...(context && { context }) }))
  const takes = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes']
  const locks = ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem']
  return [
    ...each(['producer', 'compactor', 'api', 'service'], 'sqs:SendMessage', '{queue}', 'Allowed'),
    ...each(['query', 'schedule'], 'sqs:SendMessage', '{queue}', 'ImplicitlyDenied'),
    ...each(['producer', 'compactor', 'api', 'service'], 'sqs:SendMessage', '{deadLetterQueue}', 'ImplicitlyDenied'),
    ...takes.flatMap((action) => each(['compactor'], action, '{queue}', 'Allowed')),
    ...takes.flatMap((action) => each(['producer', 'query', 'api'], action, '{queue}', 'ImplicitlyDenied')),
    ...each(['compactor', 'producer'], 'sqs:PurgeQueue', '{queue}', 'ImplicitlyDenied'),
    ...each(['compactor'], 'sqs:ReceiveMessage', '{queue}', 'ExplicitlyDenied', { 'aws:SecureTransport': 'false' }),
    ...locks.flatMap((action) =>
      each(['compactor', 'api'], action, '{table}', 'Allowed', lockKey(`LOCK#${COLLECTION}/fold`)),
    ),
    ...locks.flatMap((action) => each(['compactor', 'api'], action, '{table}', 'ImplicitlyDenied', lockKey('USER#a'))),
    ...each(['compactor'], 'dynamodb:PutItem', '{table}', 'ImplicitlyDenied', {
      'dynamodb:LeadingKeys': ['LOCK#a', 'USER#a'],
    }),
    ...each(['producer', 'query'], 'dynamodb:PutItem', '{table}', 'ImplicitlyDenied', lockKey('LOCK#a')),
    ...each(['compactor', 'api'], 'dynamodb:Scan', '{table}', 'ImplicitlyDenied'),
    ...each(['compactor', 'api'], 'dynamodb:DeleteTable', '{table}', 'ImplicitlyDenied'),
    ...each(['schedule'], 'lambda:InvokeFunction', '{function}', 'Allowed'),
    ...each(
      ['schedule'],
      'lambda:InvokeFunction',
      'arn:aws:lambda:{region}:{account}:function:other',
      'ImplicitlyDenied',
    ),
    ...each(['producer', 'compactor', 'query', 'api'], 'lambda:InvokeFunction', '{function}', 'ImplicitlyDenied'),
    ...each(['schedule'], 's3:GetObject', object('segment'), 'ImplicitlyDenied'),
  ]
}

/** Objects of users, and what makes them searchable. */
function ingestRows(): Row[] {
  const upload = '{objects}/uploads/a.pdf'
  const derived = '{objects}/derived/c0ffee/1/thumbnail.jpg'
  const others = ['producer', 'compactor', 'query', 'api'] as const
  const takes = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes']
  return [
    row('ingest', 's3:GetObject', upload, 'Allowed'),
    row('ingest', 's3:PutObject', upload, 'ImplicitlyDenied'),
    row('ingest', 's3:DeleteObject', upload, 'ImplicitlyDenied'),
    row('ingest', 's3:GetObject', derived, 'Allowed'),
    row('ingest', 's3:PutObject', derived, 'Allowed'),
    row('ingest', 's3:DeleteObject', derived, 'Allowed'),
    row('ingest', 's3:ListBucket', '{objects}', 'Allowed'),
    row('ingest', 's3:GetObject', upload, 'ExplicitlyDenied', { 'aws:SecureTransport': 'false' }),
    row('ingest', 's3:PutBucketPolicy', '{objects}', 'ExplicitlyDenied'),
    ...others.flatMap((subject) => [
      row(subject, 's3:GetObject', upload, 'ImplicitlyDenied'),
      row(subject, 's3:PutObject', upload, 'ImplicitlyDenied'),
      row(subject, 's3:DeleteObject', upload, 'ImplicitlyDenied'),
    ]),
    ...takes.map((action) => row('ingest', action, '{ingestQueue}', 'Allowed')),
    row('ingest', 'sqs:SendMessage', '{ingestQueue}', 'Allowed'),
    row('ingest', 'sqs:PurgeQueue', '{ingestQueue}', 'ImplicitlyDenied'),
    row('ingest', 'sqs:SendMessage', '{queue}', 'Allowed'),
    row('ingest', 'sqs:ReceiveMessage', '{queue}', 'ImplicitlyDenied'),
    row('ingest', 'sqs:ReceiveMessage', '{ingestQueue}', 'ExplicitlyDenied', { 'aws:SecureTransport': 'false' }),
    ...others.flatMap((subject) => [
      row(subject, 'sqs:SendMessage', '{ingestQueue}', 'ImplicitlyDenied'),
      row(subject, 'sqs:ReceiveMessage', '{ingestQueue}', 'ImplicitlyDenied'),
    ]),
    row('ingest', 'dynamodb:PutItem', '{table}', 'ImplicitlyDenied', lockKey('LOCK#a')),
    row('ingest', 'lambda:InvokeFunction', '{function}', 'ImplicitlyDenied'),
    row('deploy', 's3:CreateBucket', '{objects}', 'Allowed'),
    row('deploy', 's3:PutBucketCORS', '{objects}', 'Allowed'),
    row('deploy', 's3:GetObject', upload, 'ExplicitlyDenied'),
    row('deploy', 'sqs:CreateQueue', '{ingestQueue}', 'Allowed'),
    row('deploy', 'sqs:ReceiveMessage', '{ingestQueue}', 'ImplicitlyDenied'),
  ]
}

/** Runtime roles manage nothing, regardless of their own policies. */
function boundaryRows(): Row[] {
  const managing = [
    's3:PutBucketPolicy',
    's3:DeleteBucket',
    's3:PutLifecycleConfiguration',
    's3:PutEncryptionConfiguration',
    's3:PutBucketVersioning',
  ]
  return (['producer', 'compactor', 'query', 'api', 'service'] as const).flatMap((subject): Row[] => [
    ...managing.map((action): Row => ({ subject, action, resource: '{bucket}', expected: 'ExplicitlyDenied' })),
    {
      subject,
      action: 's3:DeleteObjectVersion',
      resource: object('segment'),
      expected: subject === 'service' ? 'ImplicitlyDenied' : 'ExplicitlyDenied',
    },
  ])
}

/** A deployer cannot access objects, also not through a role. */
function deployRows(): Row[] {
  const subject = 'deploy'
  const boundary = { 'iam:PermissionsBoundary': 'arn:aws:iam::{account}:policy/siltstone-runtime-boundary' }
  const role = 'arn:aws:iam::{account}:role/siltstone-{stack}-compactor'
  const row = (action: string, resource: string, expected: Verdict, context?: Row['context']): Row => ({
    subject,
    action,
    resource,
    expected,
    ...(context && { context }),
  })
  const manages = [
    's3:CreateBucket',
    's3:DeleteBucket',
    's3:ListBucket',
    's3:PutBucketPolicy',
    's3:PutBucketVersioning',
    's3:PutBucketPublicAccessBlock',
    's3:PutBucketOwnershipControls',
    's3:PutBucketTagging',
    's3:PutBucketCORS',
    's3:PutBucketLogging',
    's3:PutBucketObjectLockConfiguration',
    's3:PutBucketNotification',
    's3:PutEncryptionConfiguration',
    's3:PutLifecycleConfiguration',
    's3:PutReplicationConfiguration',
  ]
  const objects = [
    's3:GetObject',
    's3:PutObject',
    's3:DeleteObject',
    's3:GetObjectVersion',
    's3:DeleteObjectVersion',
    's3:PutObjectAcl',
    's3:PutObjectTagging',
    's3:AbortMultipartUpload',
    's3:RestoreObject',
  ]
  return [
    ...manages.map((action) => row(action, '{bucket}', 'Allowed')),
    row('s3:ListAllMyBuckets', '*', 'Allowed'),
    row('s3:PutBucketPolicy', 'arn:aws:s3:::another-bucket', 'ImplicitlyDenied'),
    ...objects.flatMap((action) => [
      row(action, object('segment'), 'ExplicitlyDenied', action === 's3:PutObject' ? IF_ABSENT : undefined),
      row(action, object('store'), 'ExplicitlyDenied', action === 's3:PutObject' ? CREATES : undefined),
    ]),
    row('iam:CreateRole', role, 'ImplicitlyDenied'),
    row('iam:CreateRole', role, 'Allowed', boundary),
    row('iam:CreateRole', role, 'ImplicitlyDenied', {
      'iam:PermissionsBoundary': 'arn:aws:iam::aws:policy/AdministratorAccess',
    }),
    row('iam:CreateRole', 'arn:aws:iam::{account}:role/another', 'ImplicitlyDenied', boundary),
    row('iam:PutRolePolicy', role, 'ImplicitlyDenied'),
    row('iam:PutRolePolicy', role, 'Allowed', boundary),
    row('iam:PutRolePolicy', 'arn:aws:iam::{account}:role/deploy-siltstone', 'ImplicitlyDenied', boundary),
    row('iam:AttachRolePolicy', role, 'ImplicitlyDenied', boundary),
    row('iam:DeleteRolePermissionsBoundary', role, 'ExplicitlyDenied'),
    row('iam:PutRolePermissionsBoundary', role, 'ExplicitlyDenied', boundary),
    row('iam:UpdateAssumeRolePolicy', role, 'ExplicitlyDenied'),
    row('iam:CreatePolicyVersion', 'arn:aws:iam::{account}:policy/siltstone-runtime-boundary', 'ExplicitlyDenied'),
    row('iam:SetDefaultPolicyVersion', 'arn:aws:iam::{account}:policy/siltstone-runtime-boundary', 'ExplicitlyDenied'),
    row('iam:PassRole', role, 'Allowed', { 'iam:PassedToService': 'lambda.amazonaws.com' }),
    row('iam:PassRole', role, 'ImplicitlyDenied', { 'iam:PassedToService': 'ec2.amazonaws.com' }),
    row('sts:AssumeRole', role, 'ExplicitlyDenied'),
    row('lambda:CreateFunction', '{function}', 'Allowed'),
    row('lambda:UpdateFunctionCode', '{function}', 'Allowed'),
    row('lambda:InvokeFunction', '{function}', 'ExplicitlyDenied'),
    row('lambda:CreateFunction', 'arn:aws:lambda:{region}:{account}:function:other', 'ImplicitlyDenied'),
    row('sqs:CreateQueue', '{queue}', 'Allowed'),
    row('sqs:ReceiveMessage', '{queue}', 'ImplicitlyDenied'),
    row('sqs:SendMessage', '{queue}', 'ImplicitlyDenied'),
    row('dynamodb:CreateTable', '{table}', 'Allowed'),
    row('dynamodb:GetItem', '{table}', 'ImplicitlyDenied', lockKey('LOCK#a')),
    row('kms:Decrypt', 'arn:aws:kms:{region}:{account}:key/1', 'ImplicitlyDenied'),
  ]
}

export const PERMISSIONS: readonly Row[] = [
  ...(['producer', 'compactor', 'query', 'api', 'ingest', 'media', 'registry'] as const).flatMap(objectRows),
  ...bucketRows(),
  ...listRows(),
  ...serviceRows(),
  ...ingestRows(),
  ...mediaRows(),
  ...registryRows(),
  ...boundaryRows(),
  ...deployRows(),
]
