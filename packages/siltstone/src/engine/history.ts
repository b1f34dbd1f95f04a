/** The kept snapshots of one collection: the current one and those that it pins. */
import { notFound, unavailable } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import { type Manifest, objectsOf, type Pin } from '../format/manifest.ts'
import type { Environment } from '../ports/environment.ts'
import { type Current, ManifestStore } from '../snapshot/manifest-store.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import type { HistoryPolicy } from '../snapshot/pins.ts'
import type { SnapshotInfo } from '../model/store.ts'

const COMMIT_ATTEMPTS = 50
/** A reset is folded within minutes. Its target is kept much longer, in case no compactor runs. */
const RESET_PIN_MS = 30 * 24 * 3_600_000

export class History {
  readonly #env: Environment
  readonly #path: string
  readonly #name: string
  readonly #policy: HistoryPolicy
  readonly #manifests: ManifestStore

  constructor(env: Environment, path: string, name: string, policy: HistoryPolicy) {
    this.#env = env
    this.#path = path
    this.#name = name
    this.#policy = policy
    this.#manifests = new ManifestStore(env, path)
  }

  /** Newest first. Empty before the first fold. */
  async list(): Promise<SnapshotInfo[]> {
    for (;;) {
      const current = await this.#manifests.current()
      if (current === 'none') return []
      const infos = await lostIfPointerMoved(this.#manifests, current.pointer, () => this.#describe(current))
      if (infos !== 'lost') return infos
    }
  }

  async #describe(current: Current): Promise<SnapshotInfo[]> {
    const reasons = new Map<string, string[]>([[current.pointer.manifestKey, ['current']]])
    for (const pin of current.manifest.pins) {
      const list = reasons.get(pin.manifestKey)
      if (list) list.push(pin.kind)
      else reasons.set(pin.manifestKey, [pin.kind])
    }
    const infos: SnapshotInfo[] = []
    for (const [key, keptBecause] of reasons) {
      const manifest = await this.#manifests.loadExisting(key)
      infos.push({
        name: nameOf(key),
        key,
        watermark: manifest.watermark,
        createdAtMs: manifest.createdAtMs,
        liveRecords: manifest.liveRecords,
        segments: manifest.segments.length,
        sizeBytes: objectsOf(manifest).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        current: key === current.pointer.manifestKey,
        keptBecause,
      })
    }
    return infos.sort((a, b) => b.createdAtMs - a.createdAtMs || b.watermark - a.watermark)
  }

  /**
   * Pins a kept snapshot so that a reset may name it.
   * @returns its manifest's key; '' for the empty state before the first fold (name `empty`)
   * @throws SiltstoneError `not-found` snapshot-missing
   */
  async pinForReset(name: string): Promise<string> {
    if (name === 'empty') return ''
    return (
      await this.pin(name, { kind: 'reset', untilMs: this.#env.clock.nowMs() + RESET_PIN_MS, reason: 'rollback' })
    ).key
  }

  /**
   * Commits a pin on a kept snapshot. The manifest that the commit replaces keeps the snapshot (it is current, or
   * pinned), so no garbage collector can have removed it.
   * @param name `current`: the current snapshot
   * @param check throws if the pin may not stand beside those of the manifest
   * @throws SiltstoneError `not-found` snapshot-missing, or collection-missing when it was deleted meanwhile; `unavailable`
   *   too-many-writers
   */
  async pin(
    name: string,
    pin: Pick<Pin, 'kind' | 'untilMs' | 'reason'>,
    check: (pins: readonly Pin[]) => void = () => {},
  ): Promise<{ key: string; manifest: Manifest; pinnedAtMs: number }> {
    let target: { key: string; manifest: Manifest; pinnedAtMs: number } | undefined
    const options = {
      env: this.#env,
      kind: 'pin' as const,
      writer: this.#name,
      startedAtMs: this.#env.clock.nowMs(),
      history: this.#policy,
      attempts: COMMIT_ATTEMPTS,
    }
    const committed = await commitChanges(this.#manifests, options, async ({ pointer, manifest: { pins } }) => {
      check(pins)
      const found = await this.#find(name, pointer === 'none' ? '' : pointer.manifestKey, pins)
      const pinnedAtMs = this.#env.clock.nowMs()
      target = { ...found, pinnedAtMs }
      const { watermark, createdAtMs } = found.manifest
      const added: Pin = { ...pin, manifestKey: target.key, watermark, committedAtMs: createdAtMs, pinnedAtMs }
      return { pins: [...pins, added] }
    })
    if (committed === 'lost')
      throw unavailable('too-many-writers', `${COMMIT_ATTEMPTS} commits to ${this.#path} lost against others; retry`, {
        retryAfterMs: 1_000,
      })
    if (!committed || !target)
      throw notFound('snapshot-missing', 'the collection has no snapshot yet; run "siltstone compact" first', {
        field: 'snapshot',
      })
    return target
  }

  async #find(name: string, currentKey: string, pins: readonly Pin[]): Promise<{ key: string; manifest: Manifest }> {
    const kept = [currentKey, ...pins.map(({ manifestKey }) => manifestKey)]
    const key = name === 'current' ? currentKey : kept.find((one) => nameOf(one) === name)
    if (key === undefined)
      throw notFound(
        'snapshot-missing',
        `there is no snapshot ${JSON.stringify(name)}; "siltstone snapshots list" shows those that are kept`,
        { field: 'snapshot' },
      )
    const manifest = await this.#manifests.loadExisting(key)
    if (manifest.state === 'closed')
      throw notFound('collection-missing', `Collection [${this.#path.slice(-36)}] does not exist.`)
    return { key, manifest }
  }
}

/** The name of the snapshot of a manifest. */
export function nameOf(key: string): string {
  const parsed = parseKey(key)
  return parsed?.kind === 'manifest' ? `${parsed.watermark}-${parsed.ulid}` : key
}
