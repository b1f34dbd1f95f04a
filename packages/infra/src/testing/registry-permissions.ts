/** Rows of the permission table about the artifact registry, beside those about single objects. */
import { COLLECTION, lockKey, object, type Row, row, type Verdict } from './permission-row.ts'

/** The seed's four actions on its own prefixes and its index, a wake-up call and its password; nothing else. */
export function registryRows(): Row[] {
  const own = (action: string, resource: string, expected: Verdict, context?: Row['context']) =>
    row('registry', action, resource, expected, context)
  const list = (prefix: string | undefined, expected: Verdict) =>
    own('s3:ListBucket', '{bucket}', expected, prefix === undefined ? undefined : { 's3:prefix': prefix })
  const parameter = (name: string) => `arn:aws:ssm:{region}:{account}:parameter/siltstone/{stack}/${name}`
  return [
    ...['registry/intents/', 'artifacts/', 'users/', 'tokens/', `delta/${COLLECTION}/`, 'catalog/tenant/'].map(
      (prefix) => list(prefix, 'Allowed'),
    ),
    list(undefined, 'Allowed'),
    list('embeddings/', 'ImplicitlyDenied'),
    list('objects/', 'ImplicitlyDenied'),
    own('s3:AbortMultipartUpload', object('blob'), 'ImplicitlyDenied'),
    own('s3:PutObjectAcl', object('blob'), 'ImplicitlyDenied'),
    own('s3:DeleteObjectVersion', object('blob'), 'ExplicitlyDenied'),
    own('s3:GetObject', object('blob'), 'ExplicitlyDenied', { 'aws:SecureTransport': 'false' }),
    own('s3:PutBucketPolicy', '{bucket}', 'ExplicitlyDenied'),
    own('s3:GetObject', '{objects}/uploads/a.pdf', 'ImplicitlyDenied'),
    own('sqs:SendMessage', '{queue}', 'Allowed'),
    own('sqs:ReceiveMessage', '{queue}', 'ImplicitlyDenied'),
    own('sqs:SendMessage', '{ingestQueue}', 'ImplicitlyDenied'),
    own('dynamodb:PutItem', '{table}', 'ImplicitlyDenied', lockKey('LOCK#a')),
    own('lambda:InvokeFunction', '{function}', 'ImplicitlyDenied'),
    own('ssm:GetParameter', parameter('registry-admin-password'), 'Allowed'),
    own('ssm:GetParameter', parameter('tokens'), 'ImplicitlyDenied'),
    own('ssm:PutParameter', parameter('registry-admin-password'), 'ImplicitlyDenied'),
    ...(['producer', 'query', 'api', 'ingest'] as const).map((subject) =>
      row(subject, 'ssm:GetParameter', parameter('registry-admin-password'), 'ImplicitlyDenied'),
    ),
    row('deploy', 's3:GetObject', object('blob'), 'ExplicitlyDenied'),
  ]
}
