/** All actors except clients: producers, compactors, collectors, an operator, and creators and deleters of collections. */
import {
  encodeEntry,
  Invocation,
  isSiltstoneError,
  logEntryKey,
  produce,
  type StoreEngine,
  systemIds,
} from 'siltstone/internal'
import { Crashed } from './incarnation.ts'
import { drawBatch, newMarker } from './draw-operations.ts'
import { LATE_INBOX_MS, RETRY_PRODUCE_MS } from './plan.ts'
import { Server } from './server.ts'
import { DATABASE, newCollection, type Target, TENANT, type World } from './world.ts'

/** A bare producer: one delta after another, each in a new process. */
export async function runProducer(world: World, name: string): Promise<void> {
  const chance = world.chance.split(name)
  for (let i = 0; i < world.plan.deltas && !world.violation; i++) {
    await world.scheduler.sleep(chance.one(0.15) ? chance.between(1_000, 20_000) : chance.between(0, 600))
    const target = chance.one(0.7) ? (world.targets.at(-1) as Target) : chance.pick(world.targets)
    const process = world.boot(name)
    // A producer that sleeps longer than retention between two attempts could apply its delta twice: see docs/explanation/reliability.md.
    process.maxStallMs = LATE_INBOX_MS
    const marker = newMarker(world.next())
    const records = drawBatch(chance, world.plan, marker)
    if (chance.one(0.05)) records.push({ ...(records[0] as (typeof records)[0]), document: 'x'.repeat(20_000) })
    const delta = chance.one(0.03)
      ? { bytes: new Uint8Array(Buffer.from('this is no Arrow file')), records: 1 }
      : { records }
    const { damaged } = world.network
    try {
      const options = { maxBytes: 1_000_000, retryWithinMs: RETRY_PRODUCE_MS }
      const { key } = await process.call(() => produce(world.environment(process), target.path, delta, options))
      world.produced.set(key, target.path)
      world.marks.hit('delta produced')
    } catch (error) {
      if (!(error instanceof Crashed)) {
        if (isSiltstoneError(error) && error.kind !== 'unknown')
          world.never.set(`${target.path} ${marker}`, String(error))
        world.judge(error, `produce into ${target.path}`, damaged, false)
      }
    }
    process.crash()
  }
}

type Work = (engine: StoreEngine, target: Target) => Promise<unknown>

/** Repeats the work until the world calms down. */
async function repeat(world: World, name: string, pauseMs: number, work: Work): Promise<void> {
  const chance = world.chance.split(name)
  const server = new Server(world, name)
  while (!world.network.calm && !world.violation) {
    await world.scheduler.sleep(chance.between(0, pauseMs))
    const target = chance.one(0.6) ? (world.targets.at(-1) as Target) : chance.pick(world.targets)
    const { damaged } = world.network
    try {
      await server.use((engine) => work(engine, target))
    } catch (error) {
      if (!(error instanceof Crashed))
        world.judge(error, `${name} on ${target.path}`, damaged, target.deleting || world.truthOf(target).closed)
    }
  }
  await server.kill()
}

export function runCompactor(world: World, name: string): Promise<void> {
  const chance = world.chance.split(`${name} work`)
  return repeat(world, name, 1_500, (engine, { path }) => engine.compact(path, { merge: chance.one(0.7) }))
}

/** A function that is invoked again and again, and ended by its host in the middle of its work. */
export function runInvocations(world: World, name: string): Promise<void> {
  const chance = world.chance.split(`${name} work`)
  return repeat(world, name, 1_500, async ({ env, compactor }, target) => {
    const lengthMs = chance.between(100, 8_000)
    const end = new AbortController()
    const cancel = env.clock.timer(lengthMs, () => end.abort(new Error('the time is over')))
    const deadline = { endsAtMs: env.clock.monotonicMs() + lengthMs, lengthMs }
    const { commits } = world.truthOf(target)
    const before = commits.length
    const invocation = new Invocation({ env, compactor, deadline, signal: end.signal })
    const { status } = await invocation.compact(target.path)
    cancel()
    world.marks.hit(`invocation: ${status}`)
    if (status === 'continues' && !commits.slice(before).some(({ by }) => by.startsWith(`${name}#`)))
      world.fail('progress', `${name} says that ${target.path} continues, and committed nothing of it`)
  })
}

export function runCollector(world: World, name: string): Promise<void> {
  return repeat(world, name, 25_000, async (engine, { path }) => {
    const outcome = await engine.collectGarbage(path)
    if (outcome.deleted > 0) world.marks.hit('garbage deleted', outcome.deleted)
  })
}

export function runOperator(world: World, name: string): Promise<void> {
  const chance = world.chance.split(`${name} work`)
  return repeat(world, name, 8_000, async (engine, { path }) => {
    const was = await engine.env.leases.force(
      `${path}/${chance.pick(['fold', 'fold/0', 'fold/1', 'merge', 'merge/0', 'merge/1'])}`,
    )
    if (was?.owner !== undefined) world.marks.hit('lease forced')
  })
}

/**
 * A faulty writer of another implementation: it mentions deltas that entries above the watermark mention already. All
 * readers must treat such a mention as void. Its put takes no time, so its knowledge of the log is current.
 */
export async function runRepeater(world: World, name: string): Promise<void> {
  const chance = world.chance.split(name)
  const process = world.boot(name)
  // Only a few: without a compactor the log must not grow faster than it can be read.
  for (let left = 12; left > 0 && !world.network.calm && !world.violation; left--) {
    await world.scheduler.sleep(chance.between(100, 4_000))
    const truth = world.truthOf(chance.pick(world.targets))
    const sequenced = [...truth.log.slice(truth.watermark)].flatMap(({ entry }) => entry.sequenced)
    if (truth.closed || sequenced.length === 0) continue
    const entry = encodeEntry({
      id: systemIds(process.clock, chance).ulid(),
      number: truth.end + 1,
      collection: truth.path,
      createdAtMs: process.clock.nowMs(),
      writer: name,
      sequenced: [chance.pick(sequenced)],
      records: [],
      control: null,
    })
    world.bucket.put(logEntryKey(truth.path, truth.end + 1), entry, { ifAbsent: true }, process.name)
  }
}

/** Forks, deletions and creations under a name that was used before. */
export async function runLifecycle(world: World, name: string, servers: readonly Server[]): Promise<void> {
  const chance = world.chance.split(name)
  for (let i = 0; i < 3 && !world.violation; i++) {
    await world.scheduler.sleep(chance.between(200, 12_000))
    const target = chance.pick(world.targets)
    const server = chance.pick(servers)
    const { damaged } = world.network
    const what = chance.weighted({ fork: 5, delete: 2, create: 2 })
    try {
      if (what === 'fork') await fork(world, server, target)
      else if (what === 'delete') await remove(world, server, target)
      else {
        const made = await server.use((engine) =>
          engine.catalog.createCollection({ ...newCollection, name: `more-${world.next()}` }),
        )
        world.add(made.info)
      }
    } catch (error) {
      if (!(error instanceof Crashed))
        world.judge(error, `${what} of ${target.path}`, damaged, target.deleting || world.truthOf(target).closed)
    }
  }
}

async function fork(world: World, server: Server, target: Target): Promise<void> {
  const truth = world.truthOf(target)
  const { end } = truth
  const info = await server.useCollection(target, (collection) => collection.fork(`fork-${world.next()}`))
  const made = world.add(info)
  world.marks.hit('fork made')
  const [first] = world.truthOf(made).commits
  if (!first) {
    world.fail('forks', `${made.path} was answered without a pointer`)
    return
  }
  const [owner] = first.published.manifest.owners
  const source = owner && world.truth.manifests.get(owner.manifestKey)
  if ((source?.manifest.watermark ?? 0) < end)
    world.fail('forks', `${made.path} holds entries up to ${source?.manifest.watermark ?? 0}, the source had ${end}`)
}

async function remove(world: World, server: Server, target: Target): Promise<void> {
  const { name } = target.info
  // The name may belong to another collection by now.
  const named = world.targets.filter(({ info }) => info.name === name)
  await world.deleting(name, () => server.use((engine) => engine.catalog.deleteCollection(TENANT, DATABASE, name)))
  world.marks.hit('collection deleted')
  if (!named.some((one) => world.truthOf(one).closed))
    world.fail('deletions', `${name} was deleted, but no log under this name is closed`)
  const again = await server.use((engine) => engine.catalog.createCollection({ ...newCollection, name }))
  world.add(again.info)
  world.marks.hit('name used again')
  if (again.info.id === target.info.id) world.fail('deletions', `the id ${again.info.id} was used again`)
}
