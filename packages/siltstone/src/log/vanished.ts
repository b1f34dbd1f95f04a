/** Objects that the log or the snapshot refers to, but that do not exist. */
import { corrupt } from '../errors.ts'
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

export function missingObject(key: string, path: string) {
  const message = `${key} is missing or damaged although the log of ${path} refers to it. Run "siltstone verify", then "siltstone repair".`
  return corrupt('object-missing', message, { key })
}
