/**
 * Views of a collection's current state. An unchanged state gives the same view, so what searches derive from a view is
 * kept until something is written. A `CollectionState` guards them with its lock.
 */
import { inboxKey, isHandover } from '../format/keys.ts'
import { BaseState } from '../snapshot/base-state.ts'
import type { InboxObject } from './listing.ts'
import type { LogContext } from './log-context.ts'
import { LogOverlay, type LogOverlayView } from './log-overlay.ts'
import type { SyncedLog } from './synced-log.ts'
import { countVanished } from './vanished.ts'
import { View } from './view.ts'

export class CurrentViews {
  readonly #context: LogContext
  readonly #log: SyncedLog
  #sequenced: View | undefined
  #withInbox: { name: string; view: View } | undefined
  /** The current snapshot without the log, once it was asked for. */
  #snapshot: View | undefined

  constructor(context: LogContext, log: SyncedLog) {
    this.#context = context
    this.#log = log
  }

  /** Keeps no view of a state that has passed. */
  forget(): void {
    this.#sequenced = undefined
    this.#withInbox = undefined
  }

  /** The snapshot and the log up to its end, without the deltas that no entry has sequenced. */
  sequenced(): View {
    const { overlay, end, manifestKey } = this.#log
    const known = this.#sequenced
    const isSame =
      known?.overlay.state === overlay &&
      known.overlay.operations === overlay.operations &&
      known.version === end &&
      known.manifestKey === manifestKey
    if (isSame) return known
    this.#sequenced = this.#view(end, overlay.view())
    return this.#sequenced
  }

  /** The snapshot and the log up to an entry. Undefined: the entry is not applied, or folded. */
  upTo(number: number): View | undefined {
    if (number === this.#log.end) return this.sequenced()
    const found = this.#log.applied.find(({ entry }) => entry.number === number)
    return found && this.#view(number, found.after)
  }

  /**
   * The snapshot, the log, and the deltas in the inbox.
   * @throws SiltstoneError `not-found` when the collection was deleted in the meantime
   */
  async current(): Promise<View> {
    const { manifestKey, end } = this.#log
    // A write that is handed over takes effect with its entry.
    const unsequenced = this.#log.unsequenced.filter(({ ulid }) => !isHandover(ulid))
    if (unsequenced.length === 0) {
      this.#withInbox = undefined
      return this.sequenced()
    }
    const name = `${manifestKey} ${end} ${unsequenced.map(({ ulid, etag }) => `${ulid}${etag}`).join(' ')}`
    if (this.#withInbox?.name === name) return this.#withInbox.view
    const { env, path, deltas } = this.#context
    await deltas.load(unsequenced)
    const overlay = this.#log.overlay.fork()
    const shown: InboxObject[] = []
    for (const object of unsequenced) {
      const { ulid, etag, sizeBytes } = object
      const delta = await deltas.get(ulid, etag, sizeBytes)
      // step: gone-delta-is-looked-up
      if (delta.status === 'gone' || delta.status === 'changed') {
        countVanished(env.metrics, inboxKey(path, ulid))
        // It was deleted between listing and reading, so an entry has taken it.
        if (!(await this.#log.follow(ulid))) await this.#log.sync()
        this.#log.requireOpen()
        return this.current()
      }
      if (delta.status === 'ok' && (await overlay.applyDelta(delta.records, end + 1)) === undefined) shown.push(object)
    }
    const view = this.#view(end, overlay.view(), shown)
    this.#withInbox = { name, view }
    return view
  }

  /** The snapshot alone, without the log. */
  async snapshot(): Promise<View> {
    await this.#log.followPointer()
    this.#log.requireOpen()
    const { manifest, manifestKey } = this.#log
    if (this.#snapshot?.manifestKey !== manifestKey) {
      const base = await BaseState.open(this.#context.pool, manifest)
      this.#snapshot = this.#view(manifest.watermark, new LogOverlay(base).view())
    }
    return this.#snapshot as View
  }

  #view(version: number, overlay: LogOverlayView, unsequenced: readonly InboxObject[] = []): View {
    const { manifest, manifestKey } = this.#log
    return new View({ version, manifestKey, manifest, overlay, unsequenced })
  }
}
