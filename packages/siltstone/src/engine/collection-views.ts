/**
 * The states that one collection is read from. Segments of an old manifest may be deleted while a read uses them; each
 * way to read says what then happens:
 *
 * - a read of the current state begins again if the pointer has moved, and fails otherwise: the object should exist (`read-view.ts`);
 * - a read of a past state looks for another manifest that keeps it, and answers *gone* if nothing does.
 */
import { invalid, isSiltstoneError, notFound, unavailable } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import { emptyManifest } from '../format/manifest.ts'
import type { CollectionState } from '../log/collection-state.ts'
import { ageMs, stampNow } from '../log/stamp.ts'
import { overtaken } from '../log/vanished.ts'
import type { View } from '../log/view.ts'
import { LruMap } from '../lru.ts'
import type { ReadOptions } from '../model/read.ts'
import { isMissing } from '../snapshot/manifest-store.ts'
import { readView, VANISHED_RETRIES } from './read-view.ts'
import { decodePageToken, encodePageToken, type PageToken } from './tokens.ts'

const WAIT_FOR_VERSION_MS = 10_000
const PAGE_VIEWS = 4

export class CollectionViews {
  readonly #state: CollectionState
  readonly #boundedStalenessMs: number
  readonly #isFork: boolean
  /** Past states of page tokens that are in use. */
  readonly #pageViews = new LruMap<string, View>(PAGE_VIEWS)

  constructor(state: CollectionState, boundedStalenessMs: number, isFork: boolean) {
    this.#state = state
    this.#boundedStalenessMs = boundedStalenessMs
    this.#isFork = isFork
  }

  read<T>(options: ReadOptions, use: (view: View) => Promise<T>): Promise<T> {
    const { at } = options
    return at === undefined ? readView(this.#state, () => this.#view(options), use) : this.#readAt(at, use)
  }

  /** Reads from the state that the pages of a token show. */
  readPage<T>(token: PageToken, use: (view: View) => Promise<T>): Promise<T> {
    return this.#past(token.manifestKey, token.version, async () => use(await this.#pageView(token)))
  }

  /** All pages show one state: the current one if nothing was written since, otherwise one that is rebuilt and kept. */
  async #pageView(token: PageToken): Promise<View> {
    const name = stateNameOf(token)
    const known = this.#pageViews.get(name)
    if (known) return known
    const now = await this.#state.strongView()
    const { manifestKey, version, unsequenced } = token
    const view =
      stateNameOf(decodePageToken(encodePageToken(now, 0), this.#state.path)) === name
        ? now
        : await this.#state.viewAt(manifestKey, version, unsequenced)
    this.#pageViews.set(name, view)
    return view
  }

  async #view(options: ReadOptions): Promise<View> {
    if (options.atLeast === undefined || options.level === 'index') return this.#current(options)
    const { clock } = this.#state.env
    const began = stampNow(clock)
    for (;;) {
      const view = await this.#state.strongView()
      if (view.version >= options.atLeast) return view
      if (ageMs(clock, began) > WAIT_FOR_VERSION_MS)
        throw unavailable(
          'version-not-reached',
          `version ${options.atLeast} was asked for, the log is at ${view.version}`,
          { field: 'atLeast', retryAfterMs: 1_000 },
        )
      await clock.sleep(50)
    }
  }

  #current({ level = 'strong' }: ReadOptions): Promise<View> {
    if (level === 'index') return this.#state.indexView()
    return level === 'bounded' ? this.#state.boundedView(this.#boundedStalenessMs) : this.#state.strongView()
  }

  /** Reads from the state after an entry. If its manifest is deleted during the read, another one may keep it. */
  async #readAt<T>(version: number, use: (view: View) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const now = await this.#state.strongView()
      try {
        const view = await this.#viewAt(now, version)
        return await this.#past(view.manifestKey, version, () => use(view))
      } catch (error) {
        const isGone = isSiltstoneError(error, 'not-found') && error.code === 'gone'
        if (!isGone) throw error
        if ((await this.#state.strongView()).manifestKey === now.manifestKey) throw error
        if (attempt >= VANISHED_RETRIES) throw overtaken(this.#state.path, error)
      }
    }
  }

  /** A view of the newest kept manifest that is not later than the version, and the entries after it. */
  async #viewAt(now: View, version: number): Promise<View> {
    if (!Number.isSafeInteger(version) || version < 0)
      throw invalid('bad-version', `version is ${version}; give the number of a log entry`, { field: 'at' })
    if (version > now.version)
      throw notFound('version-not-reached', `version ${version} does not exist yet; the log is at ${now.version}`, {
        field: 'at',
      })
    if (version === now.version && now.unsequenced.length === 0) return now
    const kept = [
      { key: now.manifestKey, watermark: now.manifest.watermark },
      ...now.manifest.pins.map(({ manifestKey, watermark }) => ({ key: manifestKey, watermark })),
    ].filter(({ key, watermark }) => watermark <= version && key?.startsWith(`snapshot/${this.#state.path}/`))
    // Before its first snapshot a collection was empty, unless it began as a fork.
    if (kept.length === 0 && !this.#isFork)
      kept.push({ key: null, watermark: emptyManifest(this.#state.path).watermark })
    const [first, ...rest] = kept
    if (!first) throw notFound('gone', `version ${version} of ${this.#state.path} is no longer kept`)
    const best = rest.reduce((a, b) => (b.watermark > a.watermark ? b : a), first)
    return this.#past(best.key, version, () => this.#state.viewAt(best.key, version, []))
  }

  /**
   * Reads a past state that is based on a manifest. If an object is missing and nothing keeps the manifest any more,
   * the state is gone. If the manifest is still kept, the object is missing although it should exist.
   */
  async #past<T>(manifestKey: string | null, version: number, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (!isMissing(error)) throw error
      const now = await this.#state.strongView()
      const isKept = now.manifest.pins.some((pin) => pin.manifestKey === manifestKey)
      const missing = parseKey(error.key)
      // Vectors may be left in entries of the log, which are not kept for as long as the snapshots.
      const isFolded = missing?.kind === 'log-entry' && missing.number <= now.manifest.watermark
      if (!isFolded && (manifestKey === null || manifestKey === now.manifestKey || isKept)) throw error
      throw notFound('gone', `version ${version} of ${this.#state.path} is no longer kept`, { cause: error })
    }
  }
}

function stateNameOf({ manifestKey, version, unsequenced }: PageToken): string {
  return JSON.stringify([manifestKey, version, unsequenced.map(({ ulid, etag }) => ulid + etag)])
}
