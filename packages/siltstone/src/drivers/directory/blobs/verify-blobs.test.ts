import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../host/system-clock.ts'
import { systemRandom } from '../../../host/system-random.ts'
import { DirectoryBlobs } from './directory-blobs.ts'
import { copyIndex, indexPath } from './index-copy.ts'
import { verifyBlobs } from './verify-blobs.ts'

const PART = 5 * 1024 * 1024
let directory: string
let blobs: DirectoryBlobs

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-verify-blobs-'))
  blobs = await DirectoryBlobs.open(directory, { clock: systemClock, random: systemRandom })
  await blobs.createBucket('media')
  const bucket = blobs.bucket('media')
  await bucket.put('small', Buffer.from('a few bytes'))
  await bucket.put('large', Buffer.alloc(20_000, 1))
  const { uploadId } = await bucket.createUpload('parts')
  const parts = [
    await bucket.putPart('parts', uploadId, 1, Buffer.alloc(PART, 2)),
    await bucket.putPart('parts', uploadId, 2, Buffer.alloc(100, 3)),
  ]
  await bucket.completeUpload('parts', uploadId, parts)
})
afterEach(async () => {
  await blobs.close()
  await rm(directory, { recursive: true, force: true })
})

const problems = async (deep = true) => (await verifyBlobs(directory, { deep })).problems.map(({ problem }) => problem)

async function fileOf(key: string): Promise<string> {
  const index = new DatabaseSync(join(directory, 'blobs/index.sqlite'))
  const row = index.prepare('SELECT content FROM version WHERE key = ?').get(Buffer.from(key))
  index.close()
  const [[name]] = JSON.parse(String(row?.['content'])) as [[string]]
  return join(directory, 'blobs/data', name.slice(-2).toLowerCase(), name)
}

describe('objects', () => {
  it('are whole', async () => {
    const { objects, bytes, problems: found } = await verifyBlobs(directory, { deep: true })
    expect([objects, bytes, found]).toEqual([3, 11 + 20_000 + PART + 100, []])
  })

  it.each([['large'], ['parts']])('of which a byte of %s changed, are found by a deep check', async (key) => {
    const path = await fileOf(key)
    const content = await readFile(path)
    content[10] = 77
    await writeFile(path, content)
    expect(await problems(false)).toEqual([])
    expect(await problems()).toEqual([expect.stringContaining(`media/${key} `)])
  })

  it('whose file is short or missing are found without reading it', async () => {
    await writeFile(await fileOf('large'), 'short')
    await rm(await fileOf('parts'))
    expect(await problems(false)).toEqual([
      expect.stringMatching(/has 5 bytes, not 20000; .*media\/large/),
      expect.stringMatching(/is missing; .*media\/parts/),
    ])
  })

  it('whose index was changed are found', async () => {
    const index = new DatabaseSync(join(directory, 'blobs/index.sqlite'))
    index.exec("UPDATE inlined SET bytes = x'00'")
    index.close()
    expect(await problems(false)).toEqual([expect.stringContaining('the index has 1 of its 11 bytes')])
  })

  it('whose index is no database any more are reported, and nothing advises to delete it', async () => {
    await blobs.close()
    await writeFile(indexPath(directory), 'x'.repeat(5_000))
    const { problems: found } = await verifyBlobs(directory, { deep: true })
    expect(found).toMatchObject([{ key: 'blobs/index.sqlite', severity: 'error' }])
    const damaged = { kind: 'corrupt', code: 'blob-index-damaged' }
    const advice = expect.not.stringMatching(/delete|holds no records/) as string
    expect(() => copyIndex(directory, join(directory, 'copy'))).toThrow(
      expect.objectContaining({ ...damaged, message: advice }),
    )
    const opening = DirectoryBlobs.open(directory, { clock: systemClock, random: systemRandom })
    await expect(opening).rejects.toMatchObject({ ...damaged, message: advice })
  })
})
