/**
 * Processes race for one or two names. Their requests are interleaved arbitrarily (before the effect and before the
 * answer), and some processes end in between. Some serial order of the calls must explain all results; a call whose process
 * ended may or may not have happened.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fault } from '../testing/faulty-object-store.ts'
import { Crash } from '../testing/faulty-object-store.ts'
import { DATABASE, outcomeOf, type Process, TENANT, wanted, CatalogWorld } from '../testing/catalog-world.ts'

type Call =
  | { kind: 'create' | 'getOrCreate' | 'get' | 'delete'; name: string }
  | { kind: 'rename'; which: number; name: string }

interface Done {
  call: Call
  /** The id for a call that answers a collection; an error's text; `ended` with the process. */
  result: string
  created?: boolean
}

const MISSING = 'not-found: collection-missing'
/** The id of a collection whose creator ended before it could tell; the first answer that has it tells. */
const UNKNOWN = 'unknown'
const EXISTS = 'conflict: collection-exists'

async function run({ catalog }: Process, call: Call, ids: readonly string[]): Promise<Done> {
  const perform = async (): Promise<Done> => {
    switch (call.kind) {
      case 'create':
      case 'getOrCreate': {
        const getOrCreate = call.kind === 'getOrCreate'
        const answer = await outcomeOf(catalog.createCollection(wanted(call.name, { getOrCreate })))
        return typeof answer === 'string'
          ? { call, result: answer }
          : { call, result: answer.info.id, created: answer.created }
      }
      case 'get': {
        const answer = await outcomeOf(catalog.getCollection(TENANT, DATABASE, call.name))
        return { call, result: typeof answer === 'string' ? answer : answer.id }
      }
      case 'delete': {
        const answer = await outcomeOf(catalog.deleteCollection(TENANT, DATABASE, call.name))
        return { call, result: answer ?? 'ok' }
      }
      case 'rename': {
        const change = catalog.changeCollection(TENANT, DATABASE, ids[call.which] as string, { newName: call.name })
        return { call, result: (await outcomeOf(change)) ?? 'ok' }
      }
    }
  }
  try {
    return await perform()
  } catch (error) {
    if (error instanceof Crash) return { call, result: 'ended' }
    throw error
  }
}

/** The names after the call, or undefined when it would have answered otherwise. */
function after(
  names: ReadonlyMap<string, string>,
  { call, result, created }: Done,
  ids: readonly string[],
  deleted: Set<string>,
): ReadonlyMap<string, string> | undefined {
  const next = new Map(names)
  const isEnded = result === 'ended'
  const there = names.get(call.name)
  switch (call.kind) {
    case 'get':
      if (isEnded || result === (there ?? MISSING)) return names
      return isUnknown(there) && result !== MISSING ? next.set(call.name, result) : undefined
    case 'create':
    case 'getOrCreate':
      if (there !== undefined) {
        const expected = call.kind === 'create' ? EXISTS : there
        if (isEnded || (result === expected && created !== true)) return names
        const isGiven = call.kind === 'getOrCreate' && created === false && isUnknown(there)
        return isGiven ? next.set(call.name, result) : undefined
      }
      if (!isEnded && created !== true) return undefined
      return next.set(call.name, isEnded ? UNKNOWN : result)
    case 'delete':
      if (there === undefined) {
        // Two who delete at once may both be told that it is done: one finishes what the other began.
        return isEnded || result === MISSING || deleted.has(call.name) ? names : undefined
      }
      if (!isEnded && result !== 'ok') return undefined
      next.delete(call.name)
      deleted.add(call.name)
      return next
    case 'rename': {
      const id = ids[call.which] as string
      const from = [...names].find(([, owner]) => owner === id)?.[0]
      const expected = from === undefined ? MISSING : there === undefined || there === id ? 'ok' : EXISTS
      if (!isEnded && result !== expected) return undefined
      if (expected !== 'ok') return names
      next.delete(from as string)
      return next.set(call.name, id)
    }
  }
}

function isUnknown(id: string | undefined): boolean {
  return id === UNKNOWN
}

function isSame(expected: ReadonlyMap<string, string>, actual: ReadonlyMap<string, string>): boolean {
  if (expected.size !== actual.size) return false
  return [...expected].every(([name, id]) => {
    const found = actual.get(name)
    return found !== undefined && (isUnknown(id) || id === found)
  })
}

function isExplained(
  names: ReadonlyMap<string, string>,
  rest: readonly Done[],
  ids: readonly string[],
  final: ReadonlyMap<string, string>,
  deleted: ReadonlySet<string> = new Set(),
): boolean {
  if (rest.every(({ result }) => result === 'ended') && isSame(names, final)) return true
  return rest.some((done, i) => {
    const others = rest.filter((_, j) => j !== i)
    const gone = new Set(deleted)
    const next = after(names, done, ids, gone)
    return next !== undefined && isExplained(next, others, ids, final, gone)
  })
}

const names = ['one', 'two', 'three'] as const
const name = fc.constantFrom(...names)
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create', 'getOrCreate', 'delete', 'get'), name }),
  fc.record({ kind: fc.constant('rename'), which: fc.nat(1), name }),
)

async function race(calls: readonly Call[], scheduler: fc.Scheduler, faults: readonly ([number, Fault] | null)[]) {
  const world = new CatalogWorld()
  const setUp = world.process().catalog
  const ids = [
    (await setUp.createCollection(wanted('one'))).info.id,
    (await setUp.createCollection(wanted('two'))).info.id,
  ]
  const before = await world.audit()
  const running = calls.map((call, i) => {
    const [at, fault] = faults[i] ?? []
    const pause = () => scheduler.schedule(Promise.resolve())
    const process = world.process({ pause, fault: (request) => (request === at ? fault : undefined) })
    return run(process, call, ids)
  })
  const done = await scheduler.waitFor(Promise.all(running))
  const after = await world.audit()
  // The next calls complete the operations that were interrupted; the names must stay explained.
  expect({ done, after: [...after], explained: isExplained(before, done, ids, after) }).toMatchObject({
    explained: true,
  })
  const next = world.process().catalog
  for (const name of names) {
    const { info } = await next.createCollection(wanted(name, { getOrCreate: true }))
    expect((await next.getCollection(TENANT, DATABASE, name)).id).toBe(info.id)
    if (after.has(name)) expect(info.id).toBe(after.get(name))
  }
  await world.audit()
}

describe('races for a name', () => {
  it('are serializable', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 5 }), fc.scheduler(), (calls, scheduler) =>
        race(calls, scheduler, []),
      ),
      { numRuns: 600 },
    )
  }, 120_000)

  it('are serializable when processes end and answers are lost', async () => {
    const fault = fc.option(
      fc.tuple(
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom<Fault>('crash-before', 'crash-after', 'before', 'after', 'refused-after'),
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { minLength: 2, maxLength: 5 }),
        fc.scheduler(),
        fc.array(fault, { minLength: 5, maxLength: 5 }),
        race,
      ),
      { numRuns: 600 },
    )
  }, 120_000)

  it('have one creator, whose collection all calls return', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 5 }), fc.scheduler(), async (processes, scheduler) => {
        const world = new CatalogWorld()
        const pause = () => scheduler.schedule(Promise.resolve())
        const answers = await scheduler.waitFor(
          Promise.all(
            Array.from({ length: processes }, () =>
              world.process({ pause }).catalog.createCollection(wanted('one', { getOrCreate: true })),
            ),
          ),
        )
        expect(answers.filter(({ created }) => created)).toHaveLength(1)
        expect(new Set(answers.map(({ info }) => info.id)).size).toBe(1)
        expect(await world.process().catalog.countCollections(TENANT, DATABASE)).toBe(1)
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})

describe('races with the deletion of a database', () => {
  it('leave no collection in a deleted database, and delete none of a successor', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(2), fc.boolean(), async (scheduler, creators, again) => {
        const world = new CatalogWorld()
        const scope = { tenant: TENANT, database: 'second' }
        await world.process().catalog.createDatabase(TENANT, 'second')
        const pause = () => scheduler.schedule(Promise.resolve())
        const calls: Promise<unknown>[] = [outcomeOf(world.process({ pause }).catalog.deleteDatabase(TENANT, 'second'))]
        for (let i = 0; i <= creators; i++) {
          const request = wanted(`name-${i}`, scope)
          calls.push(outcomeOf(world.process({ pause }).catalog.createCollection(request)))
        }
        if (again) {
          calls.push(outcomeOf(world.process({ pause }).catalog.createDatabase(TENANT, 'second')))
          calls.push(outcomeOf(world.process({ pause }).catalog.deleteDatabase(TENANT, 'second')))
        }
        await scheduler.waitFor(Promise.all(calls))
        await world.audit()
        const { catalog } = world.process()
        const exists = typeof (await outcomeOf(catalog.getDatabase(TENANT, 'second'))) !== 'string'
        const left = await catalog.countCollections(TENANT, 'second')
        if (!exists) expect(left).toBe(0)
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})
