/** Policies of resources, which restrict every principal regardless of its own policies. */
import { KEY_PATTERNS } from '../keys.ts'
import { allow, deny, policy, type PolicyDocument, type Statement } from './document.ts'

const PLAIN_HTTP = { Bool: { 'aws:SecureTransport': 'false' } } as const

export function denyPlainHttp(action: string, resources: readonly string[]): Statement {
  return { ...deny('DenyPlainHttp', [action], resources, PLAIN_HTTP), Principal: '*' }
}

/**
 * HTTPS only. Immutable objects are created and never overwritten: a put must send If-None-Match, and for a pointer or
 * an object of the catalog If-Match or If-None-Match. The condition applies only to requests that create an object (a put,
 * the completion of a multipart upload); parts of an upload carry no such header.
 */
export function bucketPolicy(bucketArn: string): PolicyDocument {
  const creates = { 's3:ObjectCreationOperation': 'true' }
  const objects = (patterns: readonly string[]) => patterns.map((pattern) => `${bucketArn}/${pattern}`)
  return policy(
    denyPlainHttp('s3:*', [bucketArn, `${bucketArn}/*`]),
    {
      ...deny('CreateOnly', ['s3:PutObject'], objects([KEY_PATTERNS.log, ...KEY_PATTERNS.immutable]), {
        Null: { 's3:if-none-match': 'true' },
        Bool: creates,
      }),
      Principal: '*',
    },
    {
      ...deny('CompareAndSwap', ['s3:PutObject'], objects([KEY_PATTERNS.pointers, KEY_PATTERNS.catalog]), {
        Null: { 's3:if-none-match': 'true', 's3:if-match': 'true' },
        Bool: creates,
      }),
      Principal: '*',
    },
  )
}

/** A bucket of users' objects: HTTPS only. */
export const objectBucketPolicy = (bucketArn: string): PolicyDocument =>
  policy(denyPlainHttp('s3:*', [bucketArn, `${bucketArn}/*`]))

/** @param bucket may send notifications; the account is checked because a bucket's ARN does not name it */
export function queuePolicy(queueArn: string, bucket?: { arn: string; account: string }): PolicyDocument {
  return policy(
    denyPlainHttp('sqs:*', [queueArn]),
    bucket && {
      ...allow('TakeNotifications', ['sqs:SendMessage'], [queueArn], {
        ArnEquals: { 'aws:SourceArn': bucket.arn },
        StringEquals: { 'aws:SourceAccount': bucket.account },
      }),
      Principal: { Service: 's3.amazonaws.com' },
    },
  )
}

export function alarmTopicPolicy(topicArn: string, account: string): PolicyDocument {
  return policy(denyPlainHttp('sns:Publish', [topicArn]), {
    ...allow('TakeAlarms', ['sns:Publish'], [topicArn], { StringEquals: { 'aws:SourceAccount': account } }),
    Principal: { Service: 'cloudwatch.amazonaws.com' },
  })
}
