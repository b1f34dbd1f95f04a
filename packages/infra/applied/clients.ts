import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

export interface ClientOptions {
  endpoint: string
  region: string
  credentials: Credentials
  /**
   * The server listens on plain HTTP on this machine, and believes what a proxy in front of it says about the client:
   * true (default) makes `aws:SecureTransport` true, as a proxy that ends TLS would.
   */
  https?: boolean
}

interface Outgoing {
  request: { headers: Record<string, string> }
}

/** The clients of one principal. */
export function clients({ endpoint, region, credentials, https = true }: ClientOptions) {
  const config = { endpoint, region, credentials, maxAttempts: 1 }
  const s3 = new S3Client({ ...config, forcePathStyle: true })
  const all = {
    s3,
    sqs: new SQSClient(config),
    dynamodb: new DynamoDBClient(config),
    iam: new IAMClient(config),
    sts: new STSClient(config),
    lambda: new LambdaClient(config),
    scheduler: new SchedulerClient(config),
    cloudwatch: new CloudWatchClient(config),
    logs: new CloudWatchLogsClient(config),
    sns: new SNSClient(config),
    kms: new KMSClient(config),
  }
  if (!https) return all
  for (const client of Object.values(all)) {
    const stack = client.middlewareStack as unknown as {
      add(step: (next: (args: Outgoing) => unknown) => (args: Outgoing) => unknown, options: object): void
    }
    stack.add(
      (next) => (args) => {
        args.request.headers['x-forwarded-proto'] = 'https'
        return next(args)
      },
      { step: 'build', name: 'endsTls' },
    )
  }
  return all
}

export type Clients = ReturnType<typeof clients>
