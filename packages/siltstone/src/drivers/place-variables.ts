/** Where a store is, by environment variables. */

/** Names of buckets that other stacks set; `SILTSTONE_DATA` comes before them. */
const BUCKET_VARIABLES = ['VECTOR_BUCKET_NAME', 'CHROMADB_BUCKET'] as const

/**
 * `SILTSTONE_DATA` (a directory or a URL), or `s3://` and the bucket of `VECTOR_BUCKET_NAME` or `CHROMADB_BUCKET`.
 * An empty variable counts as not set.
 */
export function placeFromVariables(variables: Readonly<Record<string, string | undefined>>): string | undefined {
  const place = variables['SILTSTONE_DATA']
  if (place !== undefined && place !== '') return place
  const bucket = BUCKET_VARIABLES.map((name) => variables[name]).find((value) => value !== undefined && value !== '')
  return bucket === undefined ? undefined : `s3://${bucket}`
}
