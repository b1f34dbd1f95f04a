import type { CommitKind, Manifest } from '../format/manifest.ts'
import type { Environment } from '../ports/environment.ts'
import type { PointerState } from './manifest-store.ts'
import { type HistoryPolicy, pinsAfter } from './pins.ts'

export interface CommitOrigin {
  env: Pick<Environment, 'clock' | 'ids'>
  current: Manifest
  pointer: PointerState | 'none'
  kind: CommitKind
  writer: string
  startedAtMs: number
  history: HistoryPolicy
}

/**
 * The manifest after `current`. It keeps everything that the commit does not change, and `current` becomes history. Its
 * time is never earlier than its parent's, even if the clock is, so that history stays in order.
 */
export function nextManifest(origin: CommitOrigin, changes: Partial<Manifest>): Manifest {
  const { env, current, pointer } = origin
  const nowMs = Math.max(env.clock.nowMs(), current.createdAtMs)
  const parentKey = pointer === 'none' ? null : pointer.manifestKey
  return {
    ...current,
    ...changes,
    id: env.ids.ulid(),
    kind: origin.kind,
    parent: parentKey === null ? null : { manifestKey: parentKey, committedAtMs: current.createdAtMs },
    createdAtMs: nowMs,
    durationMs: Math.max(0, nowMs - origin.startedAtMs),
    writer: origin.writer,
    pins: pinsAfter({ ...current, pins: changes.pins ?? current.pins }, parentKey, nowMs, origin.history),
  }
}
