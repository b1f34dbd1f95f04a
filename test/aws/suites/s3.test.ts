import { afterAll, beforeAll, describe } from 'vitest'
import { describeObjectStore } from '../../../packages/siltstone/src/platform/object-store.contract.ts'
import { openBucket, type TestBucket } from '../bucket.ts'
import { targets } from '../targets.ts'

/** MiniStack and moto. */
const PYTHON_SERVERS = [
  {
    test: 'shows a group whose keys go on after startAfter',
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
  describeObjectStore('S3', open, /^(MiniStack|moto)/.test(target.name) ? PYTHON_SERVERS : [])
})
