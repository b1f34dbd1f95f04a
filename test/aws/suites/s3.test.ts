import { afterAll, beforeAll, describe } from 'vitest'
import { describeObjectStore } from '../../../packages/siltstone/src/platform/object-store.contract.ts'
import { openBucket, type TestBucket } from '../bucket.ts'
import { targets } from '../targets.ts'

const MOTO = [
  {
    test: 'agrees with sorting and grouping all keys by hand',
    reason: 'a group is left out when startAfter stands within it, which no listing of ours asks for',
  },
]

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
  describeObjectStore('S3', open, target.name.startsWith('moto') ? MOTO : [])
})
