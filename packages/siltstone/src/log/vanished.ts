/** Objects that are not where the log or the snapshot says. */
import { corrupt } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import type { Metrics } from '../ports/telemetry.ts'
import { isMissing } from '../snapshot/manifest-store.ts'

/** Something that should be there is not: only a second look at the pointer tells what that means. */
export class Vanished extends Error {
  readonly key: string
  constructor(key: string) {
    super(`${key} vanished`)
    this.key = key
  }
}

/** A manifest or an object of it may also be missing because we stalled between pointer and reading, and it was collected. */
export function asVanished(error: unknown): Vanished | undefined {
  if (error instanceof Vanished) return error
  return isMissing(error) ? new Vanished(error.key) : undefined
}

/** Each time somebody was overtaken by a collection of garbage, and begins again. */
export function countVanished(metrics: Metrics, key: string): void {
  const kind = parseKey(key)?.kind ?? 'other'
  metrics.count(`vanished_${kind.replaceAll('-', '_')}`)
}

export function missingObject(key: string, path: string) {
  const message = `${key} does not exist although the log of ${path} refers to it. Run "siltstone verify", then "siltstone repair".`
  return corrupt('object-missing', message, { key })
}
