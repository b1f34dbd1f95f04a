/** A separate bucket for a test. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { type ClientOptions, parseS3Place, s3Client, S3ObjectStore } from 'siltstone/internal/aws'
import { noMetrics, silentLogger, systemClock, systemIds, systemRandom } from 'siltstone/internal'
import { freshName, type Target, variablesOf } from './targets.ts'

export const parts = {
  clock: systemClock,
  random: systemRandom,
  ids: systemIds(systemClock, systemRandom),
  log: silentLogger,
  metrics: noMetrics,
}

export interface TestBucket {
  name: string
  /** A new store below an unused prefix. */
  store(options?: Pick<ClientOptions, 'onClient'>): S3ObjectStore
  /** `s3://…` with an unused prefix. */
  url(): string
  /** All keys, including those that a store does not list. */
  keys(): Promise<string[]>
  dispose(): Promise<void>
}

export async function openBucket(target: Target): Promise<TestBucket> {
  const name = freshName('bucket')
  const variables = variablesOf(target)
  const client = s3Client(parseS3Place(`s3://${name}`, variables), { log: silentLogger })
  await client.send(new CreateBucketCommand({ Bucket: name }))
  let prefixes = 0
  const url = () => `s3://${name}/p${++prefixes}`
  const keys = async (): Promise<string[]> => {
    const found: string[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: name, ContinuationToken }))
      found.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    return found
  }
  return {
    name,
    url,
    keys,
    store: (options = {}) =>
      S3ObjectStore.open(parseS3Place(url(), variables), { ...parts, ...options, connectMs: 20_000 }),
    dispose: async () => {
      const left = await keys()
      for (let at = 0; at < left.length; at += 1_000) {
        const Objects = left.slice(at, at + 1_000).map((Key) => ({ Key }))
        await client.send(new DeleteObjectsCommand({ Bucket: name, Delete: { Objects, Quiet: true } }))
      }
      await client.send(new DeleteBucketCommand({ Bucket: name }))
      client.destroy()
    },
  }
}
