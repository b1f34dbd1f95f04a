import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3'
import { isSiltstoneError } from '../../errors.ts'
import type { DeleteOptions, DeleteResult } from '../../ports/object-store.ts'
import { openError, refusedError } from './failure.ts'
import { bucketKey, type S3Bucket, s3Url } from './s3-bucket.ts'

const BATCH_KEYS = 1_000
const ROUNDS = 4
const AT_ONCE = 16
const PASSING = new Set(['InternalError', 'SlowDown', 'ServiceUnavailable', 'OperationAborted'])

/** By the name of the object in the bucket. */
type Versions = ReadonlyMap<string, string>

function versionIn(versionOf: Versions, name: string): { VersionId: string } | undefined {
  const VersionId = versionOf.get(name)
  return VersionId === undefined ? undefined : { VersionId }
}

/** In batches of 1,000. Keys that fail temporarily are tried again; other failures of a batch are reported by key. */
export async function deleteObjects(
  bucket: S3Bucket,
  keys: readonly string[],
  { versions }: DeleteOptions = {},
): Promise<DeleteResult> {
  const names = keys.map((key) => bucketKey(bucket, key))
  const versionOf = new Map<string, string>()
  keys.forEach((key, i) => {
    const version = versions?.get(key)
    if (version !== undefined) versionOf.set(names[i] as string, version)
  })
  const failures = new Map<string, Error>()
  for (let at = 0; at < keys.length; at += BATCH_KEYS) {
    const batch = new Map(keys.slice(at, at + BATCH_KEYS).map((key, i) => [names[at + i] as string, key]))
    for (const [name, error] of await deleteBatch(bucket, [...batch.keys()], versionOf))
      failures.set(batch.get(name) ?? name, error)
  }
  return {
    deleted: keys.filter((key) => !failures.has(key)),
    failed: [...failures].map(([key, error]) => ({ key, error })),
  }
}

async function deleteBatch(bucket: S3Bucket, names: string[], versionOf: Versions): Promise<Map<string, Error>> {
  if (!bucket.place.batchDelete) return deleteSingly(bucket, names, versionOf)
  const failures = new Map<string, Error>()
  let left = names
  for (let round = 1; left.length > 0; round++) {
    const again: string[] = []
    try {
      const answers = await request(bucket, left, versionOf)
      for (const name of left) {
        const error = answers.get(name)
        if (error === 'deleted') continue
        if (error !== undefined && PASSING.has(error.name) && round < ROUNDS) again.push(name)
        else failures.set(name, error === undefined ? notTold(bucket, name) : refusedError(error, doing(bucket, name)))
      }
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      for (const name of left) failures.set(name, error)
    }
    if (again.length > 0) await bucket.requests.backOff(again, round)
    left = again
  }
  return failures
}

/** For each key: deleted, or the server's error. */
async function request(
  bucket: S3Bucket,
  names: readonly string[],
  versionOf: Versions,
): Promise<Map<string, 'deleted' | Error>> {
  const Objects = names.map((Key) => ({ Key, ...versionIn(versionOf, Key) }))
  const input = { Bucket: bucket.place.bucket, Delete: { Objects } }
  const calling = { doing: `delete ${names.length} objects below ${s3Url(bucket)}`, changes: true }
  const { Deleted = [], Errors = [] } = await bucket.requests.call(calling, ({ signal }) =>
    bucket.client.send(new DeleteObjectsCommand(input), { abortSignal: signal }),
  )
  const answers = new Map<string, 'deleted' | Error>()
  for (const { Key = '' } of Deleted) answers.set(Key, 'deleted')
  for (const { Key = '', Code = 'Unknown', Message = '' } of Errors)
    answers.set(
      Key,
      Object.assign(new Error(Message), {
        name: Code,
        $metadata: { httpStatusCode: Code === 'AccessDenied' ? 403 : 500 },
      }),
    )
  return answers
}

async function deleteSingly(
  bucket: S3Bucket,
  names: readonly string[],
  versionOf: Versions,
): Promise<Map<string, Error>> {
  const failures = new Map<string, Error>()
  const left = [...names]
  const worker = async () => {
    for (let Key = left.pop(); Key !== undefined; Key = left.pop()) {
      const input = { Bucket: bucket.place.bucket, Key, ...versionIn(versionOf, Key) }
      try {
        await bucket.requests.call({ ...doing(bucket, Key), changes: true }, ({ signal }) =>
          bucket.client.send(new DeleteObjectCommand(input), { abortSignal: signal }),
        )
      } catch (error) {
        if (!isSiltstoneError(error)) throw error
        failures.set(Key, error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, worker))
  return failures
}

function notTold(bucket: S3Bucket, name: string): Error {
  return openError(new Error('the answer does not mention it'), doing(bucket, name))
}

function doing({ place }: S3Bucket, name: string) {
  return { doing: `delete s3://${place.bucket}/${name}`, key: name.slice(place.prefix.length) }
}
