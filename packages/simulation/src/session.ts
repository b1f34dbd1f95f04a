/** A client: one operation after the other, at one server after the other, each answer held against the truth. */
import { type Collection, isSiltstoneError } from 'siltstone/internal'
import type { Chance } from './chance.ts'
import { Crashed } from './incarnation.ts'
import { drawBatch, newMarker } from './operations.ts'
import { before, type Before } from './reads.ts'
import * as reads from './session-reads.ts'
import type { Server } from './server.ts'
import type { CollectionTruth } from './truth.ts'
import type { Target, World } from './world.ts'
import * as writes from './session-writes.ts'

export interface Call {
  world: World
  chance: Chance
  target: Target
  truth: CollectionTruth
  from: Before
  server: Server
  servers: readonly Server[]
  /** What this client knows of its own writes. */
  memory: Memory
}

export interface Memory {
  /** Version that a write of this client was acknowledged with, by collection. */
  versions: Map<string, number>
  /** Versions that reads saw: tokens for conditional commits. */
  seen: Map<string, number>
}

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
  rollback: 3,
} as const

type Kind = keyof typeof mix

const kinds: Record<Kind, (call: Call, collection: Collection) => Promise<void>> = { ...writes.kinds, ...reads.kinds }

export async function runSession(world: World, name: string, servers: readonly Server[], count: number): Promise<void> {
  const chance = world.chance.split(name)
  const memory: Memory = { versions: new Map(), seen: new Map() }
  let server = chance.pick(servers)
  await world.scheduler.sleep(chance.between(0, 2_000))
  for (let i = 0; i < count && !world.violation; i++) {
    if (chance.one(0.3)) server = chance.pick(servers)
    const target = chance.one(0.7) ? (world.targets.at(-1) as Target) : chance.pick(world.targets)
    const work = runOne(world, chance, target, server, servers, memory)
    // A client does not wait for ever; the operation goes on without it and is still held against the truth.
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

export function mayBeMissing({ target, truth }: Pick<Call, 'target' | 'truth'>): boolean {
  return target.deleting || truth.closed
}

function judgeOperation(call: Call, kind: Kind, error: unknown): void {
  if (error instanceof Crashed) return
  call.world.judge(error, `${kind} on ${call.target.path}`, call.from.damaged, mayBeMissing(call))
}

/** A write whose outcome is known to be "no" must never show. */
export function expectNever(call: Call, marker: string, why: string): void {
  call.world.never.set(`${call.target.path} ${marker}`, why)
}

export function isClear(error: unknown): boolean {
  return isSiltstoneError(error) && error.kind !== 'unknown'
}

export { drawBatch, newMarker }
