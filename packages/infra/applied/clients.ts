import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ECSClient } from '@aws-sdk/client-ecs'
import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import { SSMClient } from '@aws-sdk/client-ssm'
import { STSClient } from '@aws-sdk/client-sts'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

export interface ClientOptions {
  endpoint: string
  /** The server's certificate, as PEM. */
  ca: string
  region: string
  credentials: Credentials
  /**
   * True: the request claims to come through a proxy to which the client spoke plain HTTP. The server believes it,
   * and `aws:SecureTransport` is false.
   */
  plainHttp?: boolean
}

interface Outgoing {
  request: { headers: Record<string, string> }
}

/** The clients of one principal. */
export function clients({ endpoint, ca, region, credentials, plainHttp = false }: ClientOptions) {
  const config = { endpoint, region, credentials, maxAttempts: 1, requestHandler: { httpsAgent: { ca } } }
  const s3 = new S3Client({ ...config, forcePathStyle: true })
  const all = {
    s3,
    sqs: new SQSClient(config),
    dynamodb: new DynamoDBClient(config),
    ecs: new ECSClient(config),
    iam: new IAMClient(config),
    sts: new STSClient(config),
    lambda: new LambdaClient(config),
    scheduler: new SchedulerClient(config),
    cloudwatch: new CloudWatchClient(config),
    logs: new CloudWatchLogsClient(config),
    sns: new SNSClient(config),
    kms: new KMSClient(config),
    ssm: new SSMClient(config),
  }
  if (!plainHttp) return all
  for (const client of Object.values(all)) {
    const stack = client.middlewareStack as unknown as {
      add(step: (next: (args: Outgoing) => unknown) => (args: Outgoing) => unknown, options: object): void
    }
    stack.add(
      (next) => (args) => {
        args.request.headers['x-forwarded-proto'] = 'http'
        return next(args)
      },
      { step: 'build', name: 'cameByPlainHttp' },
    )
  }
  return all
}

export type Clients = ReturnType<typeof clients>
