/**
 * The request behind an IAM action. It is harmless if allowed: it repeats the present state, or is refused for its
 * content after it was authorised.
 */
import * as dynamodb from '@aws-sdk/client-dynamodb'
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
import * as lambda from '@aws-sdk/client-lambda'
import * as s3 from '@aws-sdk/client-s3'
import * as sqs from '@aws-sdk/client-sqs'
import * as ssm from '@aws-sdk/client-ssm'
import * as sts from '@aws-sdk/client-sts'
import type { Clients } from './clients.ts'

export interface Wanted {
  clients: Clients
  /** The resource's ARN. */
  resource: string
  context: Readonly<Record<string, string | readonly string[]>>
  /** URL of a queue by its ARN. */
  queueUrl: (arn: string) => string
}

type Ask = (wanted: Wanted) => Promise<unknown>

const value = (wanted: Wanted, key: string): string | undefined => {
  const found = wanted.context[key]
  return typeof found === 'string' ? found : found?.[0]
}
const object = ({ resource }: Wanted) => {
  const [Bucket = '', ...key] = resource.replace('arn:aws:s3:::', '').split('/')
  return { Bucket, Key: key.join('/') }
}
const bucket = (wanted: Wanted) => ({ Bucket: object(wanted).Bucket })
const lastPart = (arn: string) => arn.split(/[:/]/).at(-1) ?? arn
const table = ({ resource }: Wanted) => ({ TableName: lastPart(resource) })
const lock = (wanted: Wanted) => ({
  ...table(wanted),
  Key: { pk: { S: value(wanted, 'dynamodb:LeadingKeys') ?? 'LOCK#asked' } },
})
const queue = ({ resource, queueUrl }: Wanted) => ({ QueueUrl: queueUrl(resource) })
const role = ({ resource }: Wanted) => ({ RoleName: lastPart(resource) })
const parameter = ({ resource }: Wanted) => resource.replace(/^.*:parameter/, '')
const NOT_A_POLICY = '{"asked":true}'
/** An id that no version has. */
const VERSION = 'null'
/** A receipt handle that does not exist. */
const ReceiptHandle = 'AQEB'

/** By IAM's name of the action. */
export const REQUESTS: Readonly<Record<string, Ask>> = {
  's3:GetObject': (w) => w.clients.s3.send(new s3.GetObjectCommand(object(w))),
  's3:PutObject': (w) =>
    w.clients.s3.send(
      new s3.PutObjectCommand({
        ...object(w),
        Body: Buffer.from('asked'),
        IfNoneMatch: value(w, 's3:if-none-match'),
        IfMatch: value(w, 's3:if-match'),
      }),
    ),
  's3:DeleteObject': (w) => w.clients.s3.send(new s3.DeleteObjectCommand(object(w))),
  's3:GetObjectVersion': (w) => w.clients.s3.send(new s3.GetObjectCommand({ ...object(w), VersionId: VERSION })),
  's3:DeleteObjectVersion': (w) => w.clients.s3.send(new s3.DeleteObjectCommand({ ...object(w), VersionId: VERSION })),
  's3:PutObjectAcl': (w) => w.clients.s3.send(new s3.PutObjectAclCommand({ ...object(w), ACL: 'private' })),
  's3:PutObjectTagging': (w) =>
    w.clients.s3.send(new s3.PutObjectTaggingCommand({ ...object(w), Tagging: { TagSet: [] } })),
  's3:AbortMultipartUpload': (w) =>
    w.clients.s3.send(new s3.AbortMultipartUploadCommand({ ...object(w), UploadId: 'none' })),
  's3:RestoreObject': (w) =>
    w.clients.s3.send(new s3.RestoreObjectCommand({ ...object(w), RestoreRequest: { Days: 1 } })),
  's3:ListBucket': (w) =>
    w.clients.s3.send(new s3.ListObjectsV2Command({ ...bucket(w), Prefix: value(w, 's3:prefix'), MaxKeys: 1 })),
  's3:ListAllMyBuckets': (w) => w.clients.s3.send(new s3.ListBucketsCommand({})),
  's3:CreateBucket': (w) => w.clients.s3.send(new s3.CreateBucketCommand(bucket(w))),
  's3:DeleteBucket': (w) => w.clients.s3.send(new s3.DeleteBucketCommand(bucket(w))),
  's3:GetBucketVersioning': (w) => w.clients.s3.send(new s3.GetBucketVersioningCommand(bucket(w))),
  's3:PutBucketPolicy': (w) => w.clients.s3.send(new s3.PutBucketPolicyCommand({ ...bucket(w), Policy: NOT_A_POLICY })),
  's3:PutBucketVersioning': (w) =>
    w.clients.s3.send(
      new s3.PutBucketVersioningCommand({ ...bucket(w), VersioningConfiguration: { Status: 'Enabled' } }),
    ),
  's3:PutBucketPublicAccessBlock': (w) =>
    w.clients.s3.send(
      new s3.PutPublicAccessBlockCommand({
        ...bucket(w),
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true },
      }),
    ),
  's3:PutBucketOwnershipControls': (w) =>
    w.clients.s3.send(
      new s3.PutBucketOwnershipControlsCommand({
        ...bucket(w),
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      }),
    ),
  's3:PutBucketTagging': (w) =>
    w.clients.s3.send(new s3.PutBucketTaggingCommand({ ...bucket(w), Tagging: { TagSet: [] } })),
  's3:PutBucketCORS': (w) =>
    w.clients.s3.send(new s3.PutBucketCorsCommand({ ...bucket(w), CORSConfiguration: { CORSRules: [] } })),
  's3:PutBucketLogging': (w) =>
    w.clients.s3.send(new s3.PutBucketLoggingCommand({ ...bucket(w), BucketLoggingStatus: {} })),
  's3:PutBucketObjectLockConfiguration': (w) =>
    w.clients.s3.send(new s3.PutObjectLockConfigurationCommand({ ...bucket(w), ObjectLockConfiguration: {} })),
  's3:PutBucketNotification': async (w) => {
    const { $metadata: _, ...same } = await w.clients.s3.send(
      new s3.GetBucketNotificationConfigurationCommand(bucket(w)),
    )
    return w.clients.s3.send(
      new s3.PutBucketNotificationConfigurationCommand({ ...bucket(w), NotificationConfiguration: same }),
    )
  },
  's3:PutEncryptionConfiguration': (w) =>
    w.clients.s3.send(
      new s3.PutBucketEncryptionCommand({
        ...bucket(w),
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
      }),
    ),
  's3:PutLifecycleConfiguration': (w) =>
    w.clients.s3.send(
      new s3.PutBucketLifecycleConfigurationCommand({ ...bucket(w), LifecycleConfiguration: { Rules: [] } }),
    ),
  's3:PutReplicationConfiguration': (w) =>
    w.clients.s3.send(
      new s3.PutBucketReplicationCommand({ ...bucket(w), ReplicationConfiguration: { Role: 'none', Rules: [] } }),
    ),
  'sqs:SendMessage': (w) => w.clients.sqs.send(new sqs.SendMessageCommand({ ...queue(w), MessageBody: 'asked' })),
  'sqs:ReceiveMessage': (w) =>
    w.clients.sqs.send(new sqs.ReceiveMessageCommand({ ...queue(w), WaitTimeSeconds: 0, VisibilityTimeout: 0 })),
  'sqs:DeleteMessage': (w) => w.clients.sqs.send(new sqs.DeleteMessageCommand({ ...queue(w), ReceiptHandle })),
  'sqs:ChangeMessageVisibility': (w) =>
    w.clients.sqs.send(new sqs.ChangeMessageVisibilityCommand({ ...queue(w), ReceiptHandle, VisibilityTimeout: 0 })),
  'sqs:GetQueueAttributes': (w) =>
    w.clients.sqs.send(new sqs.GetQueueAttributesCommand({ ...queue(w), AttributeNames: ['All'] })),
  'sqs:PurgeQueue': (w) => w.clients.sqs.send(new sqs.PurgeQueueCommand(queue(w))),
  'sqs:CreateQueue': (w) => w.clients.sqs.send(new sqs.CreateQueueCommand({ QueueName: lastPart(w.resource) })),
  'dynamodb:GetItem': (w) => w.clients.dynamodb.send(new dynamodb.GetItemCommand(lock(w))),
  'dynamodb:PutItem': (w) => {
    const { TableName, Key } = lock(w)
    return w.clients.dynamodb.send(new dynamodb.PutItemCommand({ TableName, Item: Key }))
  },
  'dynamodb:UpdateItem': (w) => w.clients.dynamodb.send(new dynamodb.UpdateItemCommand(lock(w))),
  'dynamodb:DeleteItem': (w) => w.clients.dynamodb.send(new dynamodb.DeleteItemCommand(lock(w))),
  'dynamodb:Scan': (w) => w.clients.dynamodb.send(new dynamodb.ScanCommand(table(w))),
  'dynamodb:DeleteTable': (w) => w.clients.dynamodb.send(new dynamodb.DeleteTableCommand(table(w))),
  'dynamodb:CreateTable': (w) =>
    w.clients.dynamodb.send(
      new dynamodb.CreateTableCommand({
        ...table(w),
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      }),
    ),
  // Only checks authorisation: the function's code does not run.
  'lambda:InvokeFunction': (w) =>
    w.clients.lambda.send(new lambda.InvokeCommand({ FunctionName: w.resource, InvocationType: 'DryRun' })),
  'lambda:UpdateFunctionCode': (w) =>
    w.clients.lambda.send(
      new lambda.UpdateFunctionCodeCommand({ FunctionName: w.resource, S3Bucket: 'none', S3Key: 'none', DryRun: true }),
    ),
  'iam:CreateRole': (w) =>
    w.clients.iam.send(
      new iam.CreateRoleCommand({
        ...role(w),
        AssumeRolePolicyDocument: NOT_A_POLICY,
        PermissionsBoundary: value(w, 'iam:PermissionsBoundary'),
      }),
    ),
  'iam:PutRolePolicy': (w) =>
    w.clients.iam.send(new iam.PutRolePolicyCommand({ ...role(w), PolicyName: 'asked', PolicyDocument: NOT_A_POLICY })),
  'iam:AttachRolePolicy': (w) =>
    w.clients.iam.send(
      new iam.AttachRolePolicyCommand({ ...role(w), PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }),
    ),
  'iam:DeleteRolePermissionsBoundary': (w) => w.clients.iam.send(new iam.DeleteRolePermissionsBoundaryCommand(role(w))),
  'iam:PutRolePermissionsBoundary': (w) =>
    w.clients.iam.send(
      new iam.PutRolePermissionsBoundaryCommand({
        ...role(w),
        PermissionsBoundary: value(w, 'iam:PermissionsBoundary') ?? '',
      }),
    ),
  'iam:UpdateAssumeRolePolicy': (w) =>
    w.clients.iam.send(new iam.UpdateAssumeRolePolicyCommand({ ...role(w), PolicyDocument: NOT_A_POLICY })),
  'iam:CreatePolicyVersion': (w) =>
    w.clients.iam.send(
      new iam.CreatePolicyVersionCommand({ PolicyArn: w.resource, PolicyDocument: NOT_A_POLICY, SetAsDefault: true }),
    ),
  'iam:SetDefaultPolicyVersion': (w) =>
    w.clients.iam.send(new iam.SetDefaultPolicyVersionCommand({ PolicyArn: w.resource, VersionId: 'v1' })),
  'sts:AssumeRole': (w) =>
    w.clients.sts.send(new sts.AssumeRoleCommand({ RoleArn: w.resource, RoleSessionName: 'asked' })),
  'ssm:GetParameter': (w) => w.clients.ssm.send(new ssm.GetParameterCommand({ Name: parameter(w) })),
  'ssm:PutParameter': (w) =>
    w.clients.ssm.send(new ssm.PutParameterCommand({ Name: parameter(w), Value: 'asked', Overwrite: true })),
  'kms:Decrypt': (w) =>
    w.clients.kms.send(new kms.DecryptCommand({ KeyId: w.resource, CiphertextBlob: Buffer.from('asked') })),
}
