/** Kept versions of one collection: the current manifest and what it pins. */
import { invalid, notFound, unavailable } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import { type Manifest, objectsOf, type Pin } from '../format/manifest.ts'
import type { Environment } from '../ports/environment.ts'
import { type Current, ManifestStore } from '../snapshot/manifest-store.ts'
import { nextManifest } from '../snapshot/next-manifest.ts'
import { lostIfOvertaken } from '../snapshot/overtaken.ts'
import type { HistoryPolicy } from '../snapshot/pins.ts'
import type { SnapshotInfo } from '../model/store.ts'

const COMMIT_TRIES = 50
/** A reset is folded within minutes; its target is kept much longer, in case nothing compacts. */
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
      const infos = await lostIfOvertaken(this.#manifests, current.pointer, () => this.#describe(current))
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

  async forkCount(): Promise<number> {
    const current = await this.#manifests.current()
    return current === 'none' ? 0 : current.manifest.pins.filter(({ kind }) => kind === 'fork').length
  }

  /**
   * Pins a kept snapshot so that a reset may name it.
   * @returns its manifest's key; '' is the empty state before the first fold (name `empty`)
   * @throws SiltstoneError `not-found` snapshot-missing
   */
  async pinForReset(name: string): Promise<string> {
    if (name === 'empty') return ''
    return (
      await this.pin(name, { kind: 'reset', untilMs: this.#env.clock.nowMs() + RESET_PIN_MS, reason: 'rollback' })
    ).key
  }

  /**
   * Commits a pin on a kept snapshot (`current`: the current one). It is kept already (current, or pinned by the manifest that is replaced), so no
   * collector can have freed it.
   */
  async pin(name: string, pin: Pick<Pin, 'kind' | 'untilMs' | 'reason'>): Promise<{ key: string; manifest: Manifest }> {
    const startedAtMs = this.#env.clock.nowMs()
    for (let attempt = 0; attempt < COMMIT_TRIES; attempt++) {
      const current = await this.#manifests.current()
      if (current === 'none')
        throw notFound('snapshot-missing', 'the collection has no snapshot yet; run "siltstone compact" first', {
          field: 'snapshot',
        })
      const key = name === 'current' ? current.pointer.manifestKey : keptKey(current, name)
      if (key === undefined)
        throw notFound(
          'snapshot-missing',
          `there is no snapshot ${JSON.stringify(name)}; "siltstone snapshots list" shows those that are kept`,
          { field: 'snapshot' },
        )
      const target = await lostIfOvertaken(this.#manifests, current.pointer, () => this.#manifests.loadExisting(key))
      if (target === 'lost') continue
      if (target.state === 'closed')
        throw invalid('snapshot-closed', `snapshot ${name} is of a deleted collection`, { field: 'snapshot' })
      const added: Pin = {
        ...pin,
        manifestKey: key,
        watermark: target.watermark,
        committedAtMs: target.createdAtMs,
        pinnedAtMs: this.#env.clock.nowMs(),
      }
      const { manifest, pointer } = current
      const next = nextManifest(
        {
          env: this.#env,
          current: manifest,
          pointer,
          kind: 'pin',
          writer: this.#name,
          startedAtMs,
          history: this.#policy,
        },
        { pins: [...manifest.pins, added] },
      )
      if ((await this.#manifests.commit(pointer, next)) !== 'lost') return { key, manifest: target }
    }
    throw unavailable('too-many-writers', `${COMMIT_TRIES} commits to ${this.#path} lost against others; retry`, {
      retryAfterMs: 1_000,
    })
  }
}

function keptKey(current: Current, name: string): string | undefined {
  return [current.pointer.manifestKey, ...current.manifest.pins.map(({ manifestKey }) => manifestKey)].find(
    (key) => nameOf(key) === name,
  )
}

function nameOf(key: string): string {
  const parsed = parseKey(key)
  return parsed?.kind === 'manifest' ? `${parsed.watermark}-${parsed.ulid}` : key
}
