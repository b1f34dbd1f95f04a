/** Objects that the log or the snapshot refers to, but that do not exist. */
import { corrupt, unavailable } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import type { Metrics } from '../ports/telemetry.ts'
import { isMissing } from '../snapshot/manifest-store.ts'

/** An object that should exist does not: a second look at the pointer tells whether it was collected. */
export class Vanished extends Error {
  readonly key: string
  constructor(key: string) {
    super(`${key} vanished`)
    this.key = key
  }
}

/** A manifest or an object of it may also be missing because it was collected after the pointer was read. */
export function asVanished(error: unknown): Vanished | undefined {
  if (error instanceof Vanished) return error
  return isMissing(error) ? new Vanished(error.key) : undefined
}

/** Counts how often a process met a collected object and began again. */
export function countVanished(metrics: Metrics, key: string): void {
  const kind = parseKey(key)?.kind ?? 'other'
  metrics.count(`vanished_${kind.replaceAll('-', '_')}`)
}

export function missingObject(key: string) {
  const message = `${key} is missing or damaged although it is referred to. Run "siltstone verify", then "siltstone repair".`
  return corrupt('object-missing', message, { key })
}

/** For work that began again on one snapshot after another, and found each collected while it read it. Nothing is damaged. */
export function overtaken(path: string, cause?: unknown) {
  const message = `what was read of ${path} was folded and collected meanwhile, several times; this process is too slow or was stopped: retry`
  return unavailable('reads-too-slow', message, { cause })
}
