/** Answers that S3 may give and no emulated server gives, and answers that never arrive. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../ports/clock.ts'
import { ManualClock } from '../memory/manual-clock.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { S3ObjectStore, type S3ObjectStoreOptions } from './s3-object-store.ts'
import type { S3Place } from './s3-place.ts'
import { MemoryS3 } from './testing/memory-s3.ts'
import { addStep, answer, lost, s3Error, type WireResponse } from './testing/middleware.ts'

const PATH = '/bucket/k'
const body = (text: string) => Buffer.from(text)

type Fault = (next: () => Promise<WireResponse>, server: MemoryS3) => Promise<WireResponse>

const before: (fault: () => WireResponse | Error) => Fault = (fault) => async () => {
  const result = fault()
  if (result instanceof Error) throw result
  return result
}
const after: (fault: () => WireResponse | Error) => Fault = (fault) => async (next) => {
  await next()
  const result = fault()
  if (result instanceof Error) throw result
  return result
}
const slowDown = () => s3Error(503, 'SlowDown')
const conflict = () => s3Error(409, 'ConditionalRequestConflict')
const none: Fault = (next) => next()

function openStore({
  endpoint,
  ...options
}: { endpoint?: string; clock: Clock } & Pick<S3ObjectStoreOptions, 'onClient' | 'limits'>) {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test'
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test'
  const place: S3Place = {
    bucket: 'bucket',
    prefix: '',
    region: 'us-east-1',
    pathStyle: true,
    checksums: 'required',
    batchDelete: true,
    ...(endpoint !== undefined && { endpoint }),
  }
  const random = seededRandom(1)
  const ids = systemIds(options.clock, random)
  return S3ObjectStore.open(place, { ...options, random, ids, log: silentLogger, metrics: noMetrics })
}

/** @param faults one for each request in order; later requests have none */
function setUp(...faults: Fault[]) {
  const clock = new ManualClock()
  const server = new MemoryS3()
  let made = 0
  const store = openStore({
    clock,
    onClient: (client) =>
      addStep(client, 'faults', (_, request) => (faults[made++] ?? none)(async () => server.handle(request), server)),
  })
  const run = async <T>(work: Promise<T>): Promise<T> => {
    const state = { isOver: false }
    const settled = work.finally(() => (state.isOver = true)).catch(() => undefined)
    // The SDK also waits for things that are not timers.
    for (let turns = 0; !state.isOver && turns < 10_000; turns++) await clock.advance(5)
    await settled
    return work
  }
  const createIt = () => run(store.put('k', body('mine'), { ifAbsent: true }))
  const text = () => server.objects.get(PATH)?.body.toString()
  return { clock, server, store, run, createIt, text }
}

describe('a conditional put', () => {
  it.each([
    ['the answer is lost', after(lost)],
    ['the answer is 500', after(() => s3Error(500, 'InternalError'))],
    ['the answer is SlowDown, after the effect', after(slowDown)],
    ['the answer is a conflict, after the effect', after(conflict)],
    ['the answer cannot be read', after(() => answer(502, { 'content-type': 'text/html' }, '<html>'))],
  ])('knows its own object when %s', async (_, fault) => {
    const { createIt, server, text } = setUp(fault)
    expect(await createIt()).toEqual({ status: 'ok', etag: server.objects.get(PATH)?.etag })
    expect(text()).toBe('mine')
    expect(server.requests).toEqual([`PUT ${PATH}`, `PUT ${PATH}`, `HEAD ${PATH}`])
  })

  it.each([
    ['the connection breaks', before(lost)],
    ['it is asked to slow down', before(slowDown)],
    ['another request was under way', before(conflict)],
    ['the clock was wrong', before(() => s3Error(403, 'RequestTimeTooSkewed'))],
  ])('is sent again when %s and nothing was done', async (_, fault) => {
    const { createIt, text } = setUp(fault)
    expect((await createIt()).status).toBe('ok')
    expect(text()).toBe('mine')
  })

  it('knows its own object by If-Match too', async () => {
    const { run, store, server, text } = setUp(after(lost))
    server.write(PATH, 'old')
    const etag = server.objects.get(PATH)?.etag ?? ''
    expect((await run(store.put('k', body('mine'), { ifMatch: etag }))).status).toBe('ok')
    expect(text()).toBe('mine')
  })

  it('is refused plainly at the first try, and asks no further', async () => {
    const { createIt, server } = setUp()
    server.write(PATH, 'theirs')
    expect(await createIt()).toEqual({ status: 'exists' })
    expect(server.requests).toEqual([`PUT ${PATH}`])
  })

  it('has lost when before it only a conflict was told', async () => {
    const { createIt, server, text } = setUp(async () => {
      server.write(PATH, 'theirs')
      return conflict()
    })
    expect(await createIt()).toEqual({ status: 'exists' })
    expect(text()).toBe('theirs')
  })

  it.each([
    ['replaced', (server: MemoryS3) => server.write(PATH, 'theirs')],
    ['deleted and created again', (server: MemoryS3) => server.write(PATH, 'other')],
  ])('is of unknown outcome when its answer was lost and the object was %s', async (_, change) => {
    const { createIt } = setUp(async (next, server) => {
      await next()
      change(server)
      throw lost()
    })
    await expect(createIt()).rejects.toMatchObject({ kind: 'unknown', code: 'aws-outcome-unknown' })
  })

  it('is of unknown outcome when no answer ever comes', async () => {
    const { createIt, server } = setUp(...Array.from({ length: 10 }, () => before(slowDown)))
    await expect(createIt()).rejects.toMatchObject({ kind: 'unknown' })
    expect(server.requests).toEqual([])
  })

  it('is of unknown outcome when the object cannot be looked at after all', async () => {
    const { createIt } = setUp(after(lost), none, ...Array.from({ length: 10 }, () => before(() => answer(500))))
    await expect(createIt()).rejects.toMatchObject({ kind: 'unknown' })
  })

  it('takes the refusal when it may not look: a bare producer', async () => {
    const { createIt } = setUp(
      after(lost),
      none,
      before(() => answer(403)),
    )
    expect(await createIt()).toEqual({ status: 'exists' })
  })

  it('gives up at once where it has no right, and nothing was done', async () => {
    const { createIt, server } = setUp(before(() => s3Error(403, 'AccessDenied')))
    await expect(createIt()).rejects.toMatchObject({ kind: 'unavailable', code: 'access-denied' })
    expect(server.requests).toEqual([])
  })
})

describe('a read', () => {
  it.each([
    ['503', before(slowDown)],
    ['500', before(() => s3Error(500, 'InternalError'))],
    ['no answer', before(lost)],
    ['half an answer', before(() => answer(200, { 'content-length': '100', etag: '"x"' }, 'half'))],
  ])('is repeated after %s', async (_, fault) => {
    const { run, store, server } = setUp(fault, fault)
    server.write(PATH, 'text')
    const got = await run(store.get('k'))
    expect(got.status === 'ok' && Buffer.from(got.body).toString()).toBe('text')
  })

  it('fails as unavailable when it goes on, and says why', async () => {
    const { run, store } = setUp(...Array.from({ length: 10 }, () => before(slowDown)))
    await expect(run(store.get('k'))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'throttled',
      message: expect.stringContaining('SlowDown') as string,
    })
  })

  it('takes a missing bucket for no missing key', async () => {
    const { run, store } = setUp(before(() => s3Error(404, 'NoSuchBucket')))
    await expect(run(store.get('k'))).rejects.toMatchObject({ kind: 'not-found', code: 'bucket-missing' })
  })

  it('tells an archived object and a wrong region from missing ones', async () => {
    const { run, store } = setUp(
      before(() => s3Error(403, 'InvalidObjectState')),
      before(() => s3Error(400, 'AuthorizationHeaderMalformed')),
    )
    await expect(run(store.get('k'))).rejects.toMatchObject({ code: 'object-archived' })
    await expect(run(store.get('k'))).rejects.toMatchObject({ code: 'wrong-region' })
  })
})

describe('a server that takes requests and never answers', () => {
  it('is waited for no longer than the deadline, and a put is then of unknown outcome', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const store = openStore({
      endpoint: `http://127.0.0.1:${port}`,
      clock: systemClock,
      limits: { timeoutMs: 50, bytesPerSecond: 1_000_000, attempts: 2 },
    })
    try {
      await expect(store.put('k', body('x'), { ifAbsent: true })).rejects.toMatchObject({ kind: 'unknown' })
      await expect(store.get('k')).rejects.toMatchObject({ kind: 'unavailable', code: 'aws-unreachable' })
      expect(sockets.length).toBeGreaterThan(0)
    } finally {
      await store.close()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => silent.close(resolve))
    }
  })
})
