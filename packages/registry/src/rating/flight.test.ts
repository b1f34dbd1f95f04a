import fc from 'fast-check'
import { memoryEnvironment } from 'siltstone/testing'
import { describe, expect, it } from 'vitest'
import { Documents } from '../store/documents.ts'
import { ratingMarkKey } from '../store/keys.ts'
import { registryWorld } from '../testing/served-world.ts'
import { Flight } from './flight.ts'

function flights(count: number) {
  const environment = memoryEnvironment()
  const documents = new Documents(environment)
  return { environment, all: Array.from({ length: count }, () => new Flight({ ...environment, documents })) }
}

const runs = (process.env['PROPERTY_RUNS'] ?? '') === '' ? 8 : Number(process.env['PROPERTY_RUNS'])

describe('a flight', () => {
  it('computes once for all processes, as long as none fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ process: fc.nat(3), fails: fc.boolean() }), { minLength: 1, maxLength: 12 }),
        async (calls) => {
          const { all, environment } = flights(4)
          let result: number | undefined
          let computed = 0
          let together = 0
          const outcomes = await Promise.allSettled(
            calls.map(({ process, fails }) =>
              (all[process] as Flight).run(
                'x',
                'a source',
                () => Promise.resolve(result),
                async () => {
                  expect(++together).toBe(1)
                  await new Promise((done) => setImmediate(done))
                  together--
                  if (fails) throw new Error('the source does not answer')
                  computed++
                  return (result = computed)
                },
              ),
            ),
          )
          // Those that failed came before the one that did not.
          expect(computed).toBe(calls.every(({ fails }) => fails) ? 0 : 1)
          for (const outcome of outcomes) if (outcome.status === 'fulfilled') expect(outcome.value).toBe(1)
          expect((await environment.store.get(ratingMarkKey('x'))).status).toBe('not-found')
        },
      ),
      { numRuns: runs },
    )
  })

  it('takes over from a process that has ended, and from one that rates other contents', async () => {
    const { all, environment } = flights(2)
    const [one, other] = all as [Flight, Flight]
    const nothing = () => Promise.resolve(undefined)
    let began = () => {}
    const begun = new Promise<void>((done) => (began = done))
    const first = one.run('x', 'old', nothing, () => {
      began()
      return Promise.withResolvers<string>().promise
    })
    void first
    await begun
    expect(await other.run('x', 'new', nothing, () => Promise.resolve('rated'))).toBe('rated')
    const again = one.run('x', 'old', nothing, () => Promise.withResolvers<string>().promise)
    void again
    const { clock } = environment
    const later = {
      nowMs: () => clock.nowMs() + 16_000,
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms: number) => clock.sleep(ms),
      timer: (ms: number, work: () => void) => clock.timer(ms, work),
    }
    const late = new Flight({ ...environment, documents: new Documents(environment), clock: later })
    expect(await late.run('x', 'old', nothing, () => Promise.resolve('rated'))).toBe('rated')
  })

  it('does not wait in a circle', async () => {
    const { all } = flights(2)
    const [one, other] = all as [Flight, Flight]
    const answers = new Map<string, boolean>()
    const rating = (flight: Flight, id: string, parent: string, others: Promise<unknown>) =>
      flight.run(
        id,
        id,
        () => Promise.resolve(undefined),
        async () => {
          answers.set(id, await flight.mayWait(id, parent))
          await others
        },
      )
    let asked = () => {}
    const both = new Promise<void>((done) => (asked = done))
    const first = rating(one, 'a', 'b', both)
    while (!answers.has('a')) await new Promise((done) => setImmediate(done))
    const second = rating(other, 'b', 'a', both)
    while (!answers.has('b')) await new Promise((done) => setImmediate(done))
    asked()
    await Promise.all([first, second])
    expect(Object.fromEntries(answers)).toEqual({ a: true, b: false })
  })
})

it('asks the source once for 14 ratings at the same time by three processes', async () => {
  const world = await registryWorld()
  try {
    const url = `${world.hub.url}/harbour/tern-small`
    const others = [await world.other(), await world.other()] as const
    const { id } = await world.registry.register({ type: 'model', url, by: 'ada' })
    const all = [world.registry, ...others]
    const ratings = await Promise.all(
      all.flatMap((each) => Array.from({ length: 5 }, () => each.ratings.of(id))).slice(1),
    )
    expect(new Set(ratings.map((rated) => JSON.stringify(rated))).size).toBe(1)
    const asked = world.hub.requests.filter((each) => each.includes('/api/models/harbour/tern-small/revision/'))
    expect(asked).toHaveLength(1)
  } finally {
    await world.close()
  }
})
