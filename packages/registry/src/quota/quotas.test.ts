import fc from 'fast-check'
import type { Clock } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Documents } from '../store/documents.ts'
import { type Answer, type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'
import { Quotas } from './quotas.ts'

const runs = Number(process.env['PROPERTY_RUNS'] ?? 10)
const LIMIT = { artifacts: 4, bytes: 100 }

/** Several processes over one store, and what was really made. */
function setUp() {
  const environment = memoryEnvironment()
  const time = { nowMs: 1_000_000 }
  const { clock: real } = environment
  const clock: Clock = {
    nowMs: () => time.nowMs,
    monotonicMs: () => time.nowMs,
    sleep: () => real.sleep(0),
    timer: (ms, work) => real.timer(ms, work),
  }
  const made = { artifacts: 0, bytes: 0 }
  const process = () =>
    new Quotas({
      ...environment,
      clock,
      documents: new Documents({ ...environment, clock }),
      standard: LIMIT,
      count: () => Promise.resolve({ ...made }),
    })
  return { time, made, process }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const turn = () => new Promise<void>((done) => setImmediate(done))

type Step =
  | { kind: 'add'; process: number; artifacts: number; bytes: number; end: 'works' | 'fails' | 'process ends' }
  | { kind: 'delete'; process: number; artifacts: number; bytes: number }

const count = { process: fc.nat(2), artifacts: fc.nat(2), bytes: fc.nat(60) }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    ...count,
    end: fc.constantFrom('works' as const, 'works' as const, 'fails' as const, 'process ends' as const),
  }),
  fc.record({ kind: fc.constant('delete' as const), ...count }),
)

describe('a quota', () => {
  it('is never exceeded, whatever processes do at the same time, and refuses only what is too much', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 6 }), async (rounds) => {
        const { made, process, time } = setUp()
        const processes = [process(), process(), process()]
        for (const round of rounds) {
          const works = round.map(async (each) => {
            const quotas = processes[each.process] as Quotas
            if (each.kind === 'delete') {
              made.artifacts = Math.max(0, made.artifacts - each.artifacts)
              made.bytes = Math.max(0, made.bytes - each.bytes)
              return quotas.freed('ada')
            }
            const { artifacts, bytes, end } = each
            const work = quotas.adding('ada', { artifacts, bytes }, async () => {
              await turn()
              if (end === 'fails') throw new Error('it fails')
              made.artifacts += artifacts
              made.bytes += bytes
              expect(made.artifacts).toBeLessThanOrEqual(LIMIT.artifacts)
              expect(made.bytes).toBeLessThanOrEqual(LIMIT.bytes)
              if (end === 'process ends') await Promise.withResolvers<void>().promise
            })
            const outcome = codeOf(work)
            if (end === 'process ends') return Promise.race([outcome, turn().then(turn).then(turn).then(turn)])
            expect(['ok', 'it fails', 'quota-artifacts', 'quota-bytes']).toContain(await outcome)
          })
          await Promise.all(works)
        }
        // Once what was left behind is old, exactly the rest may be added.
        time.nowMs += 3_700_000
        const [one] = processes as [Quotas, ...Quotas[]]
        await one.freed('ada')
        const rest = { artifacts: LIMIT.artifacts - made.artifacts, bytes: LIMIT.bytes - made.bytes }
        expect(await codeOf(one.check('ada', { artifacts: rest.artifacts + 1, bytes: 0 }))).toBe('quota-artifacts')
        expect(await codeOf(one.check('ada', { artifacts: 0, bytes: rest.bytes + 1 }))).toBe('quota-bytes')
        expect(await codeOf(one.check('ada', rest))).toBe('ok')
      }),
      { numRuns: runs },
    )
  })
})

describe('over HTTP', () => {
  let world: ServedRegistry
  let root: string
  let ada: string
  const limit = (quota: unknown): Promise<Answer> =>
    world.call('PUT', '/user/ada/quota', { token: root, body: { quota } })
  const register = (name: string): Promise<Answer> =>
    world.call('POST', '/artifact/model', { token: ada, body: { url: `https://elsewhere.test/ada/${name}` } })

  beforeAll(async () => {
    world = await servedRegistry()
    root = await world.logIn()
    const user = { user: { name: 'ada' }, secret: { password: 'a long password' } }
    await world.call('POST', '/register', { token: root, body: user })
    ada = await world.logIn('ada', 'a long password')
  })
  afterAll(() => world.close())

  it('limits artifacts, also of parallel requests to several processes, and a deletion makes room', async () => {
    expect((await limit({ artifacts: 5 })).body).toMatchObject({ quota: { artifacts: 5 } })
    const other = await world.otherService()
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, n) =>
        world.call('POST', '/artifact/model', {
          token: ada,
          body: { url: `https://elsewhere.test/ada/m${n}` },
          ...(n % 2 === 0 && { service: other }),
        }),
      ),
    )
    const made = answers.filter(({ status }) => status === 201)
    expect(made).toHaveLength(5)
    const refused = answers.find(({ status }) => status === 403)
    expect(refused?.body).toMatchObject({
      error: { code: 'quota-artifacts', message: expect.stringContaining('5 artifacts') },
    })
    const [first] = made as [Answer]
    const { id } = (first.body as { metadata: { id: string } }).metadata
    await world.call('DELETE', `/artifacts/model/${id}`, { token: ada })
    expect([(await register('again')).status, (await register('more')).status]).toEqual([201, 403])
    expect((await limit(undefined)).status).toBe(200)
    expect((await register('more')).status).toBe(201)
  })

  it('limits bytes of commits and of uploads that have not begun', async () => {
    await limit({ bytes: 5_000 })
    const headers = { authorization: ada.replace('bearer', 'Bearer') }
    const hub = (method: string, path: string, body: unknown) => world.call(method, `/hub${path}`, { headers, body })
    expect((await hub('POST', '/api/repos/create', { name: 'pocket' })).status).toBe(200)
    const commit = (path: string, size: number) => {
      const content = Buffer.alloc(size, path).toString('base64')
      const lines = [
        { key: 'header', value: { summary: path } },
        { key: 'file', value: { path, content, encoding: 'base64' } },
      ]
      return hub('POST', '/api/models/ada/pocket/commit/main', lines.map((line) => JSON.stringify(line)).join('\n'))
    }
    expect((await commit('a.txt', 3_000)).status).toBe(200)
    // The same contents again add nothing.
    expect((await commit('a.txt', 3_000)).status).toBe(200)
    const refused = await commit('b.txt', 3_000)
    expect(refused.status).toBe(403)
    expect(refused.headers.get('x-error-message')).toContain('5000 bytes')
    const batch = (size: number) =>
      hub('POST', '/ada/pocket.git/info/lfs/objects/batch', {
        operation: 'upload',
        objects: [{ oid: 'a'.repeat(64), size }],
      })
    expect([(await batch(4_000)).status, (await batch(10)).status]).toEqual([403, 200])
    const usage = await world.call('GET', '/user/ada/usage', { token: ada })
    expect(usage.body).toMatchObject({ quota: { bytes: 5_000 } })
    expect((usage.body as { bytes: number }).bytes).toBeGreaterThan(3_000)
  })

  it('is set by admins, and read by oneself', async () => {
    for (const quota of [{ artifacts: -1 }, { bytes: 1.5 }, 5, null]) expect((await limit(quota)).status).toBe(400)
    expect((await world.call('PUT', '/user/ada/quota', { token: ada, body: {} })).status).toBe(403)
    expect((await world.call('GET', '/user/root/usage', { token: ada })).status).toBe(403)
    expect((await world.call('PUT', '/user/none/quota', { token: root, body: {} })).status).toBe(404)
  })
})
