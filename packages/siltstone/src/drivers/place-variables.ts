/** Where a store is, by environment variables. */
import { invalid } from '../errors.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Names of buckets that other stacks set; `SILTSTONE_DATA` comes before them. */
const BUCKET_VARIABLES = ['VECTOR_BUCKET_NAME', 'CHROMADB_BUCKET', 'DELTA_BUCKET'] as const
const DELTA_PREFIX = 'delta/'

/**
 * `SILTSTONE_DATA` (a directory or a URL), or `s3://` and the bucket of `VECTOR_BUCKET_NAME`, `CHROMADB_BUCKET` or
 * `DELTA_BUCKET`. With a bucket, `DELTA_QUEUE_URL` and `DYNAMODB_TABLE` name its queue and its table of leases. An empty
 * variable counts as not set.
 * @throws SiltstoneError `invalid` (delta-prefix) when `DELTA_PREFIX` is another than `delta/`
 */
export function placeFromVariables(variables: Variables): string | undefined {
  const given = (name: string): string | undefined => variables[name] || undefined
  const place = given('SILTSTONE_DATA')
  if (place !== undefined) return place
  const bucket = BUCKET_VARIABLES.map(given).find((value) => value !== undefined)
  if (bucket === undefined) return undefined
  const prefix = given('DELTA_PREFIX')
  if (prefix !== undefined && prefix !== DELTA_PREFIX)
    throw invalid(
      'delta-prefix',
      `DELTA_PREFIX is ${JSON.stringify(prefix)}; deltas are under ${DELTA_PREFIX}. For a store under a prefix set SILTSTONE_DATA to s3://${bucket}/prefix.`,
      { field: 'DELTA_PREFIX' },
    )
  const options = new URLSearchParams()
  const queueUrl = given('SILTSTONE_QUEUE_URL') ?? given('DELTA_QUEUE_URL')
  const lockTable = given('SILTSTONE_LOCK_TABLE') ?? given('DYNAMODB_TABLE')
  if (queueUrl !== undefined) options.set('queueUrl', queueUrl)
  if (lockTable !== undefined) options.set('lockTable', lockTable)
  return `s3://${bucket}${options.size > 0 ? `?${options.toString()}` : ''}`
}
