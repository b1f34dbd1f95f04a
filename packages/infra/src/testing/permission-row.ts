/** Rows of the permission table, and the keys and names that they are about. */
import type { FunctionName } from '../names.ts'

export type Verdict = 'Allowed' | 'ImplicitlyDenied' | 'ExplicitlyDenied'

/** `service` is a user's own service with the service-access policy, `deploy` a deployer. */
export type Subject = FunctionName | 'ingest' | 'media' | 'media-task' | 'registry' | 'schedule' | 'service' | 'deploy'

export interface Row {
  subject: Subject
  action: string
  resource: string
  /** Condition keys of the request in addition to `aws:SecureTransport: true`. */
  context?: Readonly<Record<string, string | readonly string[]>>
  expected: Verdict
}

export function row(
  subject: Subject,
  action: string,
  resource: string,
  expected: Verdict,
  context?: Row['context'],
): Row {
  return { subject, action, resource, expected, ...(context && { context }) }
}

export const COLLECTION = 'aaaaaaaaaaaa-bbbbbbbbbbbb-11111111-2222-4333-8444-555555555555'
const ULID = '01J9Z3K4M5N6P7Q8R9S0T1V2W3'
const SHA256 = 'c0ffee00'.repeat(8)

/** One key of each kind that the product writes. */
export const KEYS = {
  store: 'snapshot/latest/pointer.txt',
  entry: `delta/${COLLECTION}/00000000000000000001.arrow`,
  inbox: `delta/${COLLECTION}/inbox/${ULID}.arrow`,
  pointer: `snapshot/${COLLECTION}/latest/pointer.txt`,
  manifest: `snapshot/${COLLECTION}/manifest/00000000000000000001-${ULID}.json`,
  segment: `snapshot/${COLLECTION}/segment/${ULID}/data`,
  overlay: `snapshot/${COLLECTION}/overlay/${ULID}/data`,
  bitmap: `snapshot/${COLLECTION}/bitmap/${ULID}.roaring`,
  list: `snapshot/${COLLECTION}/list/${ULID}.json`,
  taken: `snapshot/${COLLECTION}/taken/00000000000000000001-${ULID}.arrow`,
  tenant: `catalog/tenant/${SHA256}.json`,
  collection: 'catalog/aaaaaaaaaaaa-bbbbbbbbbbbb/id/11111111-2222-4333-8444-555555555555.json',
  due: `gc-due/2026112110/${COLLECTION}`,
  embedding: 'embeddings/an-id.json.gz',
  objectState: `objects/a-bucket/c0/${SHA256}.json`,
  artifact: `artifacts/${ULID}/metadata.json`,
  blob: `registry/blobs/${SHA256}`,
  user: `users/${'c0ffee00'.repeat(4)}.json`,
  token: `tokens/${SHA256}.json`,
} as const
export type KeyKind = keyof typeof KEYS

export const object = (kind: KeyKind) => `{bucket}/${KEYS[kind]}`
export const lockKey = (value: string) => ({ 'dynamodb:LeadingKeys': [value] })

export interface Names {
  bucketArn: string
  queueArn: string
  deadLetterQueueArn: string
  tableArn: string
  functionArn: string
  objectBucketArn: string
  ingestQueueArn: string
  mediaQueueArn: string
  clusterArn: string
  taskDefinitionArn: string
  account: string
  region: string
  stack: string
}

/** A row's text with the stack's names inserted. */
export function fill(template: string, names: Names): string {
  const values: Record<string, string> = {
    bucket: names.bucketArn,
    queue: names.queueArn,
    deadLetterQueue: names.deadLetterQueueArn,
    table: names.tableArn,
    function: names.functionArn,
    objects: names.objectBucketArn,
    ingestQueue: names.ingestQueueArn,
    objectsName: names.objectBucketArn.split(':').at(-1) ?? '',
    mediaQueue: names.mediaQueueArn,
    cluster: names.clusterArn,
    taskDefinition: names.taskDefinitionArn,
    account: names.account,
    region: names.region,
    stack: names.stack,
  }
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}
