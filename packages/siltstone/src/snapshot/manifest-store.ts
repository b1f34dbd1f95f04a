/**
 * Pointer and manifests of one collection: reading them, and the commit.
 *
 * ## The commit
 * 1. The segments and lists that the manifest names are written and verified before (their writers do that).
 * 2. The manifest is created if absent; its name holds a fresh ULID, so only a retry of ours can find it there.
 * 3. The pointer is moved by compare-and-swap: `ifMatch` the ETag that the work began from, or created if absent.
 *
 * Failure cases. A crash before 3 leaves unreachable objects, which the collector removes. A lost answer at 2 is
 * repeated with the same bytes. A 412 at 3 is ambiguous, because a retry below us (the SDK's own included) may meet
 * our first try: we read the pointer, and the commit is ours if it names our manifest or a descendant of it (the
 * lineage is followed through `parent`). A timeout at 3 is repeated with the same condition until it is settled: if
 * the first try took effect the repetition meets 412 and is resolved the same way. Nothing is deleted by a loser.
 */
import { corrupt, isPassing, isSiltstoneError, outcomeUnknown, type SiltstoneError } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'
import { listKey, manifestKey, parseKey, pointerKey } from '../format/keys.ts'
import {
  decodeList,
  decodeManifest,
  encodeChecked,
  encodeManifest,
  LIST_FIELDS,
  type ListField,
  type Manifest,
  type ObjectRef,
} from '../format/manifest.ts'
import { decodePointer, encodePointer } from '../format/pointer.ts'
import type { Environment } from '../ports/environment.ts'
import { getVerified } from './verified-object.ts'

/** Lists larger than this are moved out of the manifest: for a cold reader another object is another round. */
const INLINE_LIST_BYTES = 64 * 1024
const CACHED_MANIFESTS = 64
const LINEAGE_DEPTH = 1_000
const SETTLE_TRIES = 20

export interface PointerState {
  manifestKey: string
  etag: string
}

export type PointerAnswer = PointerState | 'none' | 'unchanged'

/** A pointer and the manifest that it names. */
export interface Current {
  pointer: PointerState
  manifest: Manifest
}

/** Something that a manifest refers to is not there. If the pointer has moved since, it was collected. */
export function isMissing(error: unknown): error is SiltstoneError & { key: string } {
  return (
    isSiltstoneError(error, 'corrupt') &&
    (error.code === 'manifest-missing' || error.code === 'object-missing') &&
    error.key !== undefined
  )
}

export class ManifestStore {
  readonly #env: Environment
  readonly path: string
  readonly #cache = new Map<string, Manifest>()

  constructor(env: Environment, path: string) {
    this.#env = env
    this.path = path
  }

  /** @param knownEtag answers `unchanged` when the pointer still has this ETag */
  async readPointer(knownEtag?: string): Promise<PointerAnswer> {
    const key = pointerKey(this.path)
    const got = await this.#env.store.get(key, knownEtag === undefined ? {} : { ifNoneMatch: knownEtag })
    if (got.status === 'not-found') return 'none'
    if (got.status === 'not-modified') return 'unchanged'
    if (got.status !== 'ok' || got.etag === undefined)
      throw corrupt('pointer-unreadable', `${key} has no ETag`, { key })
    return { manifestKey: decodePointer(got.body, key), etag: got.etag }
  }

  /** What is published now; `none` before the first commit. Throws as `follow` does. */
  async current(): Promise<Current | 'none'> {
    const pointer = await this.readPointer()
    return typeof pointer === 'string' ? 'none' : this.follow(pointer)
  }

  /**
   * The manifest of a pointer that was just read. Who stalls between the two may find the manifest collected, because
   * others have committed and collected meanwhile; the pointer has moved then, and its new manifest is the answer.
   * @throws SiltstoneError `corrupt` when the manifest of a pointer that stands still is missing or damaged
   */
  async follow(pointer: PointerState): Promise<Current> {
    for (let at = pointer; ; ) {
      try {
        return { pointer: at, manifest: await this.loadExisting(at.manifestKey) }
      } catch (error) {
        if (!isMissing(error)) throw error
        const now = await this.readPointer()
        if (typeof now === 'string' || now.etag === at.etag) throw error
        at = now
      }
    }
  }

  /** The manifest with its moved lists resolved; undefined when it is not there (collected, or never was). */
  async load(key: string): Promise<Manifest | undefined> {
    const cached = this.#cache.get(key)
    if (cached) {
      this.#cache.delete(key)
      this.#cache.set(key, cached)
      return cached
    }
    const got = await this.#env.store.get(key)
    if (got.status !== 'ok') return undefined
    const stored = decodeManifest(got.body, key)
    const parsed = parseKey(key)
    if (parsed?.kind !== 'manifest' || parsed.path !== stored.collection || parsed.watermark !== stored.watermark)
      throw corrupt('manifest-misplaced', `${key} holds the manifest of ${stored.collection} at ${stored.watermark}`, {
        key,
      })
    const { format: _format, version: _version, ...rest } = stored
    const manifest = rest as unknown as Manifest
    await Promise.all(
      LIST_FIELDS.map(async (field) => {
        const list = stored[field]
        if (Array.isArray(list)) return
        const body = await getVerified(this.#env.store, list.object)
        assignList(manifest, field, decodeList(field, body, list.object.key))
      }),
    )
    this.#remember(key, manifest)
    return manifest
  }

  /** The objects that a manifest moved its long lists to. */
  async listObjects(key: string): Promise<ObjectRef[]> {
    const got = await this.#env.store.get(key)
    if (got.status !== 'ok')
      throw corrupt('manifest-missing', `${key} does not exist although it is referred to`, { key })
    const stored = decodeManifest(got.body, key)
    return LIST_FIELDS.map((field) => stored[field]).flatMap((list) => (Array.isArray(list) ? [] : [list.object]))
  }

  /** @throws SiltstoneError `corrupt` when the manifest is gone */
  async loadExisting(key: string): Promise<Manifest> {
    const manifest = await this.load(key)
    if (!manifest) throw corrupt('manifest-missing', `${key} does not exist although it is referred to`, { key })
    return manifest
  }

  /**
   * Publishes `manifest` over `base` (what the pointer said when the work began; `none` for the first commit).
   * @returns the pointer as we made it (with an empty ETag if others have committed over it already), or `lost` when
   *   somebody else committed first
   * @throws SiltstoneError `unknown` when the store never settles whether it happened
   */
  async commit(base: PointerState | 'none', manifest: Manifest): Promise<PointerState | 'lost'> {
    const key = manifestKey(this.path, manifest.watermark, manifest.id)
    await this.#putImmutable(key, encodeManifest(await this.#moveLists(manifest)))
    this.#remember(key, manifest)
    const pointer = encodePointer(key)
    const condition = base === 'none' ? { ifAbsent: true as const } : { ifMatch: base.etag }
    let failure: unknown
    for (let attempt = 0; attempt < SETTLE_TRIES; attempt++) {
      try {
        const answer = await this.#env.store.put(pointerKey(this.path), pointer, {
          ...condition,
          contentType: 'text/plain',
        })
        if (answer.status === 'ok') return { manifestKey: key, etag: answer.etag }
        const now = await this.#isOurs(key, manifest.createdAtMs)
        return now ? { manifestKey: key, etag: now.manifestKey === key ? now.etag : '' } : 'lost'
      } catch (error) {
        // Once a try may have taken effect, no later failure settles it: go on until the store answers.
        if (!isPassing(error) && failure === undefined) throw error
        failure = error
        await this.#pause(attempt)
      }
    }
    throw outcomeUnknown(
      'commit-unknown',
      `${pointerKey(this.path)}: the store never said whether the commit took effect`,
      {
        key: pointerKey(this.path),
        cause: failure,
      },
    )
  }

  /** Our commit, if the pointer names it or a descendant of it. */
  async #isOurs(key: string, committedAtMs: number): Promise<PointerState | undefined> {
    const now = await this.readPointer()
    if (typeof now === 'string') return undefined
    let at: string | undefined = now.manifestKey
    for (let depth = 0; at !== undefined && depth < LINEAGE_DEPTH; depth++) {
      if (at === key) return now
      const manifest: Manifest | undefined = await this.load(at)
      // A parent that was collected is far older than a commit still being settled.
      if (!manifest || manifest.createdAtMs + 86_400_000 < committedAtMs) return undefined
      at = manifest.parent?.manifestKey
    }
    return undefined
  }

  async #moveLists(manifest: Manifest) {
    const stored: Record<string, unknown> = { ...manifest }
    for (const field of LIST_FIELDS) {
      const body = encodeChecked(manifest[field])
      if (body.length <= INLINE_LIST_BYTES) continue
      const key = listKey(this.path, this.#env.ids.ulid())
      await this.#putImmutable(key, body)
      stored[field] = { object: { key, sizeBytes: body.length, crc32: crcHex(body) } satisfies ObjectRef }
    }
    return stored as unknown as Parameters<typeof encodeManifest>[0]
  }

  async #putImmutable(key: string, body: Uint8Array): Promise<void> {
    await putImmutable(this.#env, key, body)
  }

  async #pause(attempt: number): Promise<void> {
    await this.#env.clock.sleep(Math.min(2_000, 20 * 2 ** attempt) * (0.5 + this.#env.random.next() / 2))
  }

  #remember(key: string, manifest: Manifest): void {
    this.#cache.set(key, manifest)
    if (this.#cache.size <= CACHED_MANIFESTS) return
    const oldest = this.#cache.keys().next().value
    if (oldest !== undefined) this.#cache.delete(oldest)
  }
}

/** Creates an object whose name nobody else can choose; a retry that meets its own first try succeeds. */
export async function putImmutable(env: Environment, key: string, body: Uint8Array): Promise<void> {
  let failure: unknown
  for (let attempt = 0; attempt < SETTLE_TRIES; attempt++) {
    try {
      await env.store.put(key, body, { ifAbsent: true })
      return
    } catch (error) {
      if (!isPassing(error)) throw error
      failure = error
      await env.clock.sleep(Math.min(2_000, 20 * 2 ** attempt) * (0.5 + env.random.next() / 2))
    }
  }
  throw failure
}

function assignList(manifest: Manifest, field: ListField, list: unknown): void {
  ;(manifest as unknown as Record<string, unknown>)[field] = list
}
