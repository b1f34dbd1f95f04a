/** A client: one operation after another, at one server after another, each answer checked against the truth. */
import type { Collection } from 'siltstone/internal'
import { type Call, mayBeMissing, type Memory } from './call.ts'
import type { Chance } from './chance.ts'
import { Crashed } from './incarnation.ts'
import { before } from './reads.ts'
import * as reads from './session-reads.ts'
import * as searches from './session-search.ts'
import type { Server } from './server.ts'
import type { Target, World } from './world.ts'
import * as writes from './session-writes.ts'

const mix = {
  write: 40,
  deleteWhere: 8,
  deleteIds: 4,
  commitIf: 8,
  getAll: 12,
  getWhere: 3,
  getIndex: 4,
  getBounded: 4,
  getAtLeast: 4,
  getAt: 6,
  page: 6,
  count: 4,
  query: 4,
  searchText: 3,
  searchSparse: 3,
  getDocument: 3,
  rollback: 3,
} as const

type Kind = keyof typeof mix

const kinds: Record<Kind, (call: Call, collection: Collection) => Promise<void>> = {
  ...writes.kinds,
  ...reads.kinds,
  ...searches.kinds,
}

export async function runSession(world: World, name: string, servers: readonly Server[], count: number): Promise<void> {
  const chance = world.chance.split(name)
  const memory: Memory = { versions: new Map(), seen: new Map() }
  let server = chance.pick(servers)
  await world.scheduler.sleep(chance.between(0, 2_000))
  for (let i = 0; i < count && !world.violation; i++) {
    if (chance.one(0.3)) server = chance.pick(servers)
    const target = chance.one(0.7) ? (world.targets.at(-1) as Target) : chance.pick(world.targets)
    const work = runOne(world, chance, target, server, servers, memory)
    // A client does not wait without limit; the operation continues and its answer is still checked.
    const patience = world.scheduler.sleep(chance.one(0.2) ? chance.between(20, 500) : 30_000)
    await Promise.race([work, patience])
    await world.scheduler.sleep(chance.one(0.1) ? chance.between(1_000, 20_000) : chance.between(0, 200))
  }
}

async function runOne(
  world: World,
  chance: Chance,
  target: Target,
  server: Server,
  servers: readonly Server[],
  memory: Memory,
): Promise<void> {
  const kind = chance.weighted(mix)
  const own = chance.split(`op ${world.next()}`)
  world.open++
  const truth = world.truthOf(target)
  const call: Call = { world, chance: own, target, truth, from: before(world, truth), server, servers, memory }
  try {
    await server.useCollection(target, async (collection) => {
      call.from = before(world, truth)
      await kinds[kind](call, collection)
    })
  } catch (error) {
    judgeOperation(call, kind, error)
  } finally {
    world.open--
  }
}

function judgeOperation(call: Call, kind: Kind, error: unknown): void {
  if (error instanceof Crashed) return
  call.world.judge(error, `${kind} on ${call.target.path}`, call.from.damaged, mayBeMissing(call))
}
