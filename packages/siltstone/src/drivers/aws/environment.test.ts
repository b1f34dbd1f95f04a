import { describe, expect, it } from 'vitest'
import { closeEnvironment } from '../directory/directory-environment.ts'
import { systemClock } from '../../host/system-clock.ts'
import { MemoryQueue } from '../memory/memory-queue.ts'
import { openEnvironmentAt } from '../open-environment.ts'
import { ThreadQueue } from '../memory/thread-queue.ts'
import { DynamoDbLeases } from './dynamodb-leases.ts'
import { openS3Environment } from './environment.ts'
import { ObjectLeases } from './object-leases.ts'
import { SqsQueue } from './sqs-queue.ts'
import { MemoryS3 } from './testing/memory-s3.ts'
import { addStep, s3Error, type WireRequest } from './testing/middleware.ts'

const variables = { AWS_REGION: 'us-east-1' }
process.env['AWS_ACCESS_KEY_ID'] ??= 'test'
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test'

function serverThat(change: (request: WireRequest) => WireRequest) {
  const server = new MemoryS3()
  const onClient = (client: { middlewareStack: object }) =>
    addStep(client, 'server', async (_, request) => server.handle(change(request)))
  return { server, onClient }
}

describe('openS3Environment', () => {
  it('asks nothing of AWS itself, and needs neither queue nor table', async () => {
    const { server, onClient } = serverThat((request) => request)
    const env = await openS3Environment('s3://bucket/p', { variables, onClient })
    expect(env.queue).toBeInstanceOf(ThreadQueue)
    expect(env.leases).toBeInstanceOf(ObjectLeases)
    expect(server.requests).toEqual([])
    await closeEnvironment(env)
  })

  it('takes both from the URL or the environment', async () => {
    const more = { ...variables, SILTSTONE_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/1/q' }
    const env = await openS3Environment('s3://bucket/p?lockTable=locks', { variables: more })
    expect(env.queue).toBeInstanceOf(SqsQueue)
    expect(env.leases).toBeInstanceOf(DynamoDbLeases)
    await closeEnvironment(env)
  })

  it('writes nothing when it only reads', async () => {
    const { server, onClient } = serverThat((request) => request)
    const env = await openS3Environment('s3://bucket/p?endpoint=http://h', { variables, onClient, readOnly: true })
    expect(env.queue).toBeInstanceOf(MemoryQueue)
    await expect(env.store.put('k', Buffer.from('x'))).rejects.toMatchObject({ code: 'read-only' })
    expect(server.requests).toEqual([])
    await closeEnvironment(env)
  })

  it('refuses a server that ignores conditions', async () => {
    const { onClient } = serverThat(({ headers, ...rest }) => ({
      ...rest,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !/^if-(?:none-)?match$/i.test(name))),
    }))
    const opening = openS3Environment('s3://bucket/p?endpoint=http://h', { variables, onClient })
    await expect(opening).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'no-conditional-puts',
      message: expect.stringContaining('Cloudflare R2, MinIO'),
    })
  })

  it('refuses a server that does not implement conditions', async () => {
    const server = new MemoryS3()
    const onClient = (client: { middlewareStack: object }) =>
      addStep(client, 'server', async (_, request) =>
        Object.keys(request.headers).some((name) => /^if-(?:none-)?match$/i.test(name))
          ? s3Error(501, 'NotImplemented')
          : server.handle(request),
      )
    const opening = openS3Environment('s3://bucket/p?endpoint=http://h', { variables, onClient })
    await expect(opening).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'no-conditional-puts',
      message: expect.stringContaining('does not offer it'),
    })
  })

  it('begins the probe again, under another key, when an answer is lost', async () => {
    for (let lost = 1; lost <= 4; lost++) {
      const server = new MemoryS3()
      let puts = 0
      const onClient = (client: { middlewareStack: object }) =>
        addStep(client, 'server', async (_, request) => {
          const answer = server.handle(request)
          if (request.method === 'PUT' && ++puts === lost)
            throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
          return answer
        })
      const env = await openS3Environment('s3://bucket/p?endpoint=http://h', { variables, onClient })
      expect(puts).toBeGreaterThan(4)
      await closeEnvironment(env)
    }
  })

  it('says that a server is out of reach when every answer is lost', async () => {
    const onClient = (client: { middlewareStack: object }) =>
      addStep(client, 'server', async () => {
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      })
    const clock = { ...systemClock, sleep: async () => {} }
    const opening = openS3Environment('s3://bucket/p?endpoint=http://h', { variables, onClient, clock })
    await expect(opening).rejects.toMatchObject({
      code: 'probe-unclear',
      message: expect.stringContaining('cannot be reached'),
    })
  })

  it('takes a role that may not probe', async () => {
    const onClient = (client: { middlewareStack: object }) =>
      addStep(client, 'server', async () => s3Error(403, 'AccessDenied'))
    const env = await openS3Environment('s3://bucket/p?endpoint=http://h', { variables, onClient })
    await expect(env.store.get('k')).rejects.toMatchObject({ code: 'access-denied' })
    await closeEnvironment(env)
  })
})

describe('openEnvironmentAt', () => {
  it('goes by the form of the place', async () => {
    await expect(openEnvironmentAt('s3://')).rejects.toMatchObject({ code: 'bad-s3-url' })
  })
})
