import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { MemoryBlobs } from '../drivers/memory/memory-blobs.ts'
import { bucketTarget } from './bucket-target.ts'

it('a bucket holds the files with their types, and only names of content are kept by caches', async () => {
  const { clock, ids } = memoryEnvironment()
  const blobs = new MemoryBlobs({ clock, ids })
  await blobs.createBucket('site')
  const bucket = blobs.bucket('site')
  const target = bucketTarget(bucket)
  const names = {
    'data/0123456789abcdef-3.bin': ['application/octet-stream', true],
    'data/retired.json': ['application/json', false],
    'pagefind.js': ['text/javascript; charset=utf-8', false],
    'search.json': ['application/json', false],
    'siltstone-AB12CD34.js': ['text/javascript; charset=utf-8', true],
    'siltstone-search.js': ['text/javascript; charset=utf-8', false],
  } as const
  for (const [name, [contentType, isKept]] of Object.entries(names)) {
    await target.write(name, new TextEncoder().encode(name))
    const got = await bucket.head(name)
    expect(got).toMatchObject({
      status: 'ok',
      blob: { head: { contentType, cacheControl: isKept ? 'public, max-age=31536000, immutable' : 'no-cache' } },
    })
  }
  expect(await target.list('data/')).toEqual(['data/0123456789abcdef-3.bin', 'data/retired.json'])
  expect(await target.list('')).toEqual(Object.keys(names).filter((name) => !name.includes('/')))
  expect(new TextDecoder().decode(await target.read('pagefind.js'))).toBe('pagefind.js')
  await target.remove('pagefind.js')
  expect(await target.read('pagefind.js')).toBeUndefined()
})

it('every file of a folder of more than a page of a listing is listed', async () => {
  const { clock, ids } = memoryEnvironment()
  const blobs = new MemoryBlobs({ clock, ids })
  await blobs.createBucket('site')
  const target = bucketTarget(blobs.bucket('site'))
  const names = Array.from({ length: 1_100 }, (_, n) => `data/${String(n).padStart(16, '0')}-0.bin`)
  await Promise.all(names.map((name) => target.write(name, new Uint8Array(1))))
  expect(await target.list('data/')).toEqual(names)
})
