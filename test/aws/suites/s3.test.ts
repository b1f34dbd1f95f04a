import { afterAll, beforeAll, describe } from 'vitest'
import { describeObjectStore } from 'siltstone/contracts'
import { openBucket, targets, type TestBucket } from '@siltstone/emulated-aws'
import { deviationsOf } from '../deviations.ts'

describe.each(targets())('$name', (target) => {
  let bucket: TestBucket
  beforeAll(async () => {
    bucket = await openBucket(target)
  })
  afterAll(() => bucket.dispose())

  const open = async () => {
    const store = bucket.store()
    return { store, dispose: () => store.close() }
  }
  describeObjectStore('S3', open, deviationsOf(target))
})
