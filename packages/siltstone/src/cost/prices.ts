/**
 * AWS's prices: on-demand list prices in us-east-1, in US dollars, first tiers, without the free tier. All costs are
 * computed from this table; `--prices` replaces prices for other regions, tiers and agreements.
 */

export interface Price {
  service: Service
  /** The unit that is counted. */
  what: string
  usd: number
  /** The number of units that cost `usd`. */
  per: number
  /** Free units per month, if that offer does not expire; used only with `freeTier`. */
  freeAMonth?: number
  source: string
}

export type Service =
  | 'S3'
  | 'Lambda'
  | 'Fargate'
  | 'Transcribe'
  | 'SQS'
  | 'DynamoDB'
  | 'CloudWatch'
  | 'VPC'
  | 'Data transfer'

/** Date and region of the table below. */
export const PRICE_DATE = '2026-11'
export const PRICE_REGION = 'us-east-1'

const page = (name: string): string => `https://aws.amazon.com/${name}/pricing/`

export const PRICES = {
  s3StorageGbMonth: {
    service: 'S3',
    what: 'GB-month of Standard storage',
    usd: 0.023,
    per: 1,
    source: `${page('s3')}; the same in "S3 Storage Setup Guide"`,
  },
  s3Put: {
    service: 'S3',
    what: 'PUT, COPY, POST and LIST requests',
    usd: 0.005,
    per: 1_000,
    source: `${page('s3')}; the same in "S3 Storage Setup Guide"`,
  },
  s3Get: {
    service: 'S3',
    what: 'GET, HEAD and other requests',
    usd: 0.0004,
    per: 1_000,
    source: `${page('s3')}; the same in "S3 Storage Setup Guide"`,
  },
  lambdaGbSecond: {
    service: 'Lambda',
    what: 'GB-seconds on arm64',
    usd: 0.0000133334,
    per: 1,
    freeAMonth: 400_000,
    source: page('lambda'),
  },
  lambdaInvocation: {
    service: 'Lambda',
    what: 'invocations',
    usd: 0.2,
    per: 1_000_000,
    freeAMonth: 1_000_000,
    source: page('lambda'),
  },
  lambdaDiskGbSecond: {
    service: 'Lambda',
    what: 'GB-seconds of /tmp beyond 512 MB',
    usd: 0.0000000309,
    per: 1,
    source: page('lambda'),
  },
  fargateVcpuHour: {
    service: 'Fargate',
    what: 'vCPU-hours on arm64',
    usd: 0.03238,
    per: 1,
    source: `${page('fargate')}; the same in https://www.vantage.sh/blog/fargate-pricing`,
  },
  fargateGbHour: {
    service: 'Fargate',
    what: 'GB-hours of memory on arm64',
    usd: 0.00356,
    per: 1,
    source: `${page('fargate')}; the same in https://www.vantage.sh/blog/fargate-pricing`,
  },
  fargateDiskGbHour: {
    service: 'Fargate',
    what: 'GB-hours of disk beyond 20 GB',
    usd: 0.000111,
    per: 1,
    source: `${page('fargate')}; the same in https://www.vantage.sh/blog/fargate-pricing`,
  },
  publicAddressHour: {
    service: 'VPC',
    what: 'hours of public IPv4 addresses',
    usd: 0.005,
    per: 1,
    source: page('vpc'),
  },
  transcribeMinute: {
    service: 'Transcribe',
    what: 'minutes of audio, standard batch',
    usd: 0.024,
    per: 1,
    source: page('transcribe'),
  },
  sqsRequest: {
    service: 'SQS',
    what: 'requests to a standard queue',
    usd: 0.4,
    per: 1_000_000,
    freeAMonth: 1_000_000,
    source: page('sqs'),
  },
  dynamoWrite: {
    service: 'DynamoDB',
    what: 'write request units',
    usd: 0.625,
    per: 1_000_000,
    source: page('dynamodb'),
  },
  alarm: {
    service: 'CloudWatch',
    what: 'metrics watched by alarms',
    usd: 0.1,
    per: 1,
    freeAMonth: 10,
    source: page('cloudwatch'),
  },
  customMetric: {
    service: 'CloudWatch',
    what: 'custom metrics',
    usd: 0.3,
    per: 1,
    freeAMonth: 10,
    source: page('cloudwatch'),
  },
  dashboard: { service: 'CloudWatch', what: 'dashboards', usd: 3, per: 1, freeAMonth: 3, source: page('cloudwatch') },
  logGb: {
    service: 'CloudWatch',
    what: 'GB of ingested logs',
    usd: 0.5,
    per: 1,
    freeAMonth: 5,
    source: page('cloudwatch'),
  },
  dataOutGb: {
    service: 'Data transfer',
    what: 'GB to the internet',
    usd: 0.09,
    per: 1,
    freeAMonth: 100,
    source: `${page('ec2')}on-demand/; the same in "S3 Storage Setup Guide"`,
  },
} as const satisfies Record<string, Price>

export type PriceItem = keyof typeof PRICES
export type PriceList = Readonly<Record<PriceItem, Price>>
