/**
 * Restore points: snapshots that are kept by name. A restore point is a pin whose reason is the name; the names of one
 * collection are distinct.
 */
import { conflict, invalid, notFound, unavailable } from '../errors.ts'
import type { Pin } from '../format/manifest.ts'
import type { KeepRequest, RestorePoint } from '../model/maintenance.ts'
import type { Environment } from '../ports/environment.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import type { HistoryPolicy } from '../snapshot/pins.ts'
import { History, nameOf } from './history.ts'

const COMMIT_ATTEMPTS = 50
const MAX_NAME = 200

export interface RestorePointsOptions {
  env: Environment
  path: string
  /** Name of this process, for manifests. */
  writer: string
  history: HistoryPolicy
}

export class RestorePoints {
  readonly #options: RestorePointsOptions
  readonly #manifests: ManifestStore

  constructor(options: RestorePointsOptions) {
    this.#options = options
    this.#manifests = new ManifestStore(options.env, options.path)
  }

  /** Newest first. */
  async list(): Promise<RestorePoint[]> {
    const current = await this.#manifests.current()
    if (current === 'none') return []
    return current.manifest.pins
      .filter((pin) => isLive(pin, this.#options.env.clock.nowMs()))
      .map(restorePointOf)
      .sort((a, b) => b.pinnedAtMs - a.pinnedAtMs)
  }

  /**
   * @throws SiltstoneError `not-found` (snapshot-missing), `conflict` (restore-point-exists), `invalid` (bad-name,
   *   bad-until), `unavailable` (too-many-writers)
   */
  async keep({ name, snapshot = 'current', untilMs = null }: KeepRequest): Promise<RestorePoint> {
    const { env, path, writer, history } = this.#options
    if (name.trim() === '' || name.length > MAX_NAME || !name.isWellFormed())
      throw invalid('bad-name', `name is ${JSON.stringify(name)}; give 1 to ${MAX_NAME} characters`, { field: 'name' })
    const nowMs = env.clock.nowMs()
    if (untilMs !== null && !(Number.isSafeInteger(untilMs) && untilMs > nowMs))
      throw invalid('bad-until', `untilMs is ${untilMs}; give a time after now, ${nowMs}, in milliseconds since 1970`, {
        field: 'untilMs',
      })
    const pins = new History(env, path, writer, history)
    const refuse = (existing: readonly Pin[]) => {
      if (existing.some((pin) => isLive(pin, nowMs) && pin.reason === name))
        throw conflict(
          'restore-point-exists',
          `there is a restore point ${JSON.stringify(name)} already: release it or choose another name`,
          { field: 'name' },
        )
    }
    const pin = { kind: 'restore-point' as const, untilMs, reason: name }
    const { key, manifest, pinnedAtMs } = await pins.pin(snapshot, pin, refuse)
    return { name, snapshot: nameOf(key), version: manifest.watermark, pinnedAtMs, untilMs }
  }

  /** @throws SiltstoneError `not-found` (restore-point-missing), `unavailable` (too-many-writers) */
  async release(name: string): Promise<void> {
    const { env, path, writer, history } = this.#options
    const missing = () =>
      notFound('restore-point-missing', `there is no restore point ${JSON.stringify(name)}`, { field: 'name' })
    const startedAtMs = env.clock.nowMs()
    const options = { env, kind: 'pin' as const, writer, startedAtMs, history, attempts: COMMIT_ATTEMPTS }
    const committed = await commitChanges(this.#manifests, options, async ({ manifest: { pins } }) => {
      const left = pins.filter((pin) => !(pin.kind === 'restore-point' && pin.reason === name))
      if (left.length === pins.length) throw missing()
      return { pins: left }
    })
    if (committed === 'lost')
      throw unavailable('too-many-writers', `${COMMIT_ATTEMPTS} commits to ${path} lost against others; retry`, {
        retryAfterMs: 1_000,
      })
    if (!committed) throw missing()
  }
}

/** An expired pin stays in the manifest until the next commit. */
function isLive({ kind, untilMs }: Pin, nowMs: number): boolean {
  return kind === 'restore-point' && (untilMs === null || untilMs > nowMs)
}

function restorePointOf({ reason, manifestKey, watermark, pinnedAtMs, untilMs }: Pin): RestorePoint {
  return { name: reason, snapshot: nameOf(manifestKey), version: watermark, pinnedAtMs, untilMs }
}
