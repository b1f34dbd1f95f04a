/** One operation of a client while it runs. */
import { isSiltstoneError } from 'siltstone/internal'
import type { Chance } from './chance.ts'
import type { CollectionTruth } from './collection-truth.ts'
import type { Before } from './reads.ts'
import type { Server } from './server.ts'
import type { Target, World } from './world.ts'

export interface Call {
  world: World
  chance: Chance
  target: Target
  truth: CollectionTruth
  from: Before
  server: Server
  servers: readonly Server[]
  memory: Memory
}

/** What a client remembers of its own operations. */
export interface Memory {
  /** The version of this client's last acknowledged write, by collection. */
  versions: Map<string, number>
  /** The versions that reads returned, used as tokens of conditional commits. */
  seen: Map<string, number>
}

export function mayBeMissing({ target, truth }: Pick<Call, 'target' | 'truth'>): boolean {
  return target.deleting || truth.closed
}

/** A write that was clearly refused must never become visible. */
export function expectNever(call: Call, marker: string, why: string): void {
  call.world.never.set(`${call.target.path} ${marker}`, why)
}

export function isClear(error: unknown): boolean {
  return isSiltstoneError(error) && error.kind !== 'unknown'
}
