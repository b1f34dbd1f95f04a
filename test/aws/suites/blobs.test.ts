import { CreateBucketCommand, DeleteBucketCommand } from '@aws-sdk/client-s3'
import { describeBlobStore } from 'siltstone/contracts'
import { silentLogger } from 'siltstone/internal'
import { openS3Blobs, parseS3Place, s3Client } from 'siltstone/internal/aws'
import { freshName, targets, variablesOf } from '@siltstone/emulated-aws'
import { describe } from 'vitest'
import { blobDeviationsOf } from '../blob-deviations.ts'

// Each test has a bucket of its own, because versioning is a property of the bucket.
describe.each(targets())('$name', (target) => {
  const open = async () => {
    const Bucket = freshName('blobs')
    const variables = variablesOf(target)
    const client = s3Client(parseS3Place(`s3://${Bucket}`, variables), { log: silentLogger })
    await client.send(new CreateBucketCommand({ Bucket }))
    const store = openS3Blobs(`s3://${Bucket}`, { variables })
    const dispose = async () => {
      for (const { key, uploadId } of (await store.listUploads()).uploads) await store.abortUpload(key, uploadId)
      for (let next = true; next; ) {
        const page = await store.listVersions()
        for (const { key, versionId } of page.versions) await store.delete(key, { versionId })
        next = page.next !== undefined
      }
      for (const { key } of (await store.list()).blobs) await store.delete(key)
      await client.send(new DeleteBucketCommand({ Bucket }))
      client.destroy()
    }
    return { store, dispose }
  }
  describeBlobStore('S3', open, blobDeviationsOf(target))
})
