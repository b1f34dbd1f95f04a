/**
 * The place of a store on S3 as a URL: `s3://bucket/prefix?queueUrl=…&lockTable=…`. Options that the URL leaves out come
 * from environment variables, so that all processes of a deployment can use the same URL.
 *
 * | in the URL    | environment variable        | meaning                                                           |
 * |---------------|-----------------------------|-------------------------------------------------------------------|
 * | `queueUrl`    | `SILTSTONE_QUEUE_URL`       | SQS queue of wake-up calls; without it compaction runs by schedule |
 * | `lockTable`   | `SILTSTONE_LOCK_TABLE`      | DynamoDB table of leases; without it they are objects              |
 * | `endpoint`    | `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3` and the like | another server than AWS                |
 * | `region`      | `AWS_REGION`, `AWS_DEFAULT_REGION`, the shared configuration | of the bucket, queue and table   |
 * | `pathStyle`   | `SILTSTONE_S3_PATH_STYLE`   | `true`: the bucket is part of the path; default with an endpoint    |
 * | `checksums`   | `SILTSTONE_S3_CHECKSUMS`    | `required`: only where the protocol demands one (older stores)     |
 * | `batchDelete` | `SILTSTONE_S3_BATCH_DELETE` | `false`: one request per deleted key (stores without DeleteObjects) |
 *
 * The URL never holds credentials: the SDK finds them by its own rules.
 */
import { invalid, isSiltstoneError } from '../../errors.ts'
import { checkKey } from '../../ports/object-key.ts'

export interface S3Place {
  bucket: string
  /** Empty, or with a slash at its end. */
  prefix: string
  region?: string
  endpoint?: string
  pathStyle: boolean
  checksums: 'supported' | 'required'
  batchDelete: boolean
  queueUrl?: string
  lockTable?: string
}

type Variables = Readonly<Record<string, string | undefined>>

const FORM = /^s3:\/\/([^/?#@]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const KNOWN = ['queueUrl', 'lockTable', 'endpoint', 'region', 'pathStyle', 'checksums', 'batchDelete']

/** The endpoint of another service than the store: the environment may name one for each. */
export function endpointOf(service: 'S3' | 'SQS' | 'DYNAMODB', variables: Variables): string | undefined {
  return variables[`AWS_ENDPOINT_URL_${service}`] || variables['AWS_ENDPOINT_URL'] || undefined
}

/** @throws SiltstoneError `invalid` (bad-s3-url) */
export function parseS3Place(url: string, variables: Variables): S3Place {
  const match = FORM.exec(url)
  const bucket = match?.[1]
  if (match === null || bucket === undefined)
    throw badUrl(url, 'it is not of the form s3://bucket/prefix?option=value', 'Credentials do not belong into it.')
  const options = new URLSearchParams(match[3] ?? '')
  for (const name of options.keys())
    if (!KNOWN.includes(name)) throw badUrl(url, `there is no option ${name}`, `Options are ${KNOWN.join(', ')}.`)
  const text = (option: string, ...names: string[]): string | undefined =>
    [options.get(option), ...names.map((name) => variables[name])].find(
      (value) => value !== undefined && value !== null && value !== '',
    ) ?? undefined
  const oneOf = <T extends string>(option: string, variable: string, values: readonly T[]): T | undefined => {
    const value = text(option, variable)
    if (value === undefined || values.includes(value as T)) return value as T | undefined
    throw badUrl(
      url,
      `${option} is ${JSON.stringify(value)}`,
      `Give ${option} (or ${variable}) one of: ${values.join(', ')}.`,
    )
  }
  const endpoint = options.get('endpoint') || endpointOf('S3', variables)
  const region =
    text('region', 'AWS_REGION', 'AWS_DEFAULT_REGION') ?? (endpoint === undefined ? undefined : 'us-east-1')
  const queueUrl = text('queueUrl', 'SILTSTONE_QUEUE_URL')
  const lockTable = text('lockTable', 'SILTSTONE_LOCK_TABLE')
  const pathStyle = oneOf('pathStyle', 'SILTSTONE_S3_PATH_STYLE', ['true', 'false'])
  return {
    bucket,
    prefix: prefixOf(url, match[2] ?? ''),
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === 'true',
    checksums: oneOf('checksums', 'SILTSTONE_S3_CHECKSUMS', ['supported', 'required']) ?? 'supported',
    batchDelete: oneOf('batchDelete', 'SILTSTONE_S3_BATCH_DELETE', ['true', 'false']) !== 'false',
    ...(queueUrl !== undefined && { queueUrl }),
    ...(lockTable !== undefined && { lockTable }),
  }
}

function prefixOf(url: string, path: string): string {
  const trimmed = path.replace(/\/$/, '')
  if (trimmed === '') return ''
  let decoded: string
  try {
    decoded = decodeURIComponent(trimmed)
    checkKey(decoded)
  } catch (error) {
    if (!isSiltstoneError(error) && !(error instanceof URIError)) throw error
    throw badUrl(url, `its prefix cannot be used: ${error.message}`, 'Give a prefix like stores/one.')
  }
  return `${decoded}/`
}

function badUrl(url: string, problem: string, remedy: string) {
  return invalid(
    'bad-s3-url',
    `${JSON.stringify(url.replace(/\/\/[^/@]*@/, '//…@'))} names no bucket: ${problem}. ${remedy}`,
    {
      field: 'data',
    },
  )
}
