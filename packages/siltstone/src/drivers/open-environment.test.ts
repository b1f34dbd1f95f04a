import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { memoryEnvironment } from './memory/memory-environment.ts'
import { isUrl, openEnvironmentAt, registerScheme } from './open-environment.ts'

it('tells a bucket from a directory', () => {
  expect(['s3://x', 'S3://x', 's3:x'].map(isUrl)).toEqual([true, true, true])
  expect(['./s3', '/s3:/x', 'C:\\data', 'gs://x'].map(isUrl)).toEqual([false, false, false, false])
})

it('opens the places of a registered scheme', async () => {
  const env = memoryEnvironment()
  const opened: string[] = []
  registerScheme('test', (place) => {
    opened.push(place)
    return Promise.resolve(env)
  })
  expect(await openEnvironmentAt('TEST://a/b')).toMatchObject({ queue: env.queue, leases: env.leases })
  expect(opened).toEqual(['TEST://a/b'])
})

it('loads the drivers for AWS by itself', async () => {
  await expect(openEnvironmentAt('s3://')).rejects.toMatchObject({ kind: 'invalid', code: 'bad-s3-url' })
})

it.each(['gs://bucket/x', 'http://127.0.0.1:8000', 'file:///srv/data', 'az://c', ':memory:'])(
  'refuses %s instead of making a directory of that name',
  async (place) => {
    await expect(openEnvironmentAt(place)).rejects.toMatchObject({ kind: 'invalid', code: 'bad-place', field: 'data' })
    expect(existsSync(place)).toBe(false)
  },
)
