/**
 * Pointer and manifests of one collection: reading them, and the commit.
 *
 * ## The commit
 * 1. The segments and lists that the manifest names have been written and verified before, by those who made them.
 * 2. The manifest is created if absent. Its name holds a new ULID, so only a retry of ours can find it there.
 * 3. The pointer is moved by compare-and-swap: `ifMatch` the ETag that the work began from, or created if absent.
 *
 * ## Failure cases
 * - A crash before 3 leaves unreachable objects, which the garbage collector removes.
 * - A lost answer at 2: the same bytes are put again.
 * - A 412 at 3 is ambiguous, because a retry inside the store (the SDK retries too) may meet our first attempt. The
 *   pointer is read: the commit succeeded if it names our manifest or a descendant of it, which is found by following
 *   `parent`.
 * - No clear answer at 3: the put is repeated with the same condition until it is settled. If the first attempt took
 *   effect, the repetition meets 412 and is resolved as above.
 *
 * A process that loses a commit deletes nothing.
 */
import { corrupt, isPassing, isSiltstoneError, outcomeUnknown, type SiltstoneError, unsupported } from '../errors.ts'
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
import { LruMap } from '../lru.ts'
import type { Environment } from '../ports/environment.ts'
import { retry } from '../ports/retry.ts'
import { isOlderVersion, VERSION } from '../version.ts'
import { getVerified } from './verified-object.ts'

/** Larger lists are moved out of the manifest. For a cold reader, each moved list is another round trip. */
const INLINE_LIST_BYTES = 64 * 1024
const CACHED_MANIFESTS = 64
const LINEAGE_DEPTH = 1_000
const DAY_MS = 86_400_000
const SETTLE = { attempts: 20, baseMs: 20, maxMs: 2_000 }

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

/** Whether a manifest or an object of it is missing. If the pointer has moved since, it was collected. */
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
  readonly #cache = new LruMap<string, Manifest>(CACHED_MANIFESTS)

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
   * The manifest of a pointer that was just read. If this process stalled between the two, other processes may have
   * committed and collected the manifest. Then the pointer has moved, and its new manifest is returned.
   * @throws SiltstoneError `corrupt` when the manifest is missing or damaged and the pointer has not moved
   */
  async follow(pointer: PointerState): Promise<Current> {
    for (let at = pointer; ; ) {
      try {
        return { pointer: at, manifest: await this.loadExisting(at.manifestKey) }
      } catch (error) {
        if (!isMissing(error)) throw error
        const now = await this.readPointer()
        // step: pointer-is-read-again
        if (typeof now === 'string' || now.etag === at.etag) throw error
        at = now
      }
    }
  }

  /** The manifest with its moved lists resolved; undefined when it does not exist (any more). */
  async load(key: string): Promise<Manifest | undefined> {
    const cached = this.#cache.get(key)
    if (cached) return cached
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
    this.#cache.set(key, manifest)
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
   * @returns the pointer of this commit (with an empty ETag if others have committed over it already), or `lost` when
   *   another process committed first
   * @throws SiltstoneError `unknown` when the store never tells whether the commit took effect; `unsupported`
   *   (writer-too-old) when the manifest may be committed by newer versions of Siltstone only
   */
  async commit(base: PointerState | 'none', manifest: Manifest): Promise<PointerState | 'lost'> {
    if (isOlderVersion(VERSION, manifest.minWriter))
      throw unsupported(
        'writer-too-old',
        `${this.path} may be changed by Siltstone ${manifest.minWriter} and later; this is ${VERSION}. Upgrade Siltstone.`,
        { key: pointerKey(this.path) },
      )
    const key = manifestKey(this.path, manifest.watermark, manifest.id)
    // step: manifest-is-written
    await putImmutable(this.#env, key, encodeManifest(await this.#moveLists(manifest)))
    this.#cache.set(key, manifest)
    const pointer = encodePointer(key)
    // step: pointer-condition
    const condition = base === 'none' ? { ifAbsent: true as const } : { ifMatch: base.etag }
    // Once an attempt may have taken effect, no later failure settles it: it is repeated until the store answers.
    let isUnsettled = false
    try {
      return await retry(
        async () => {
          const put = await this.#env.store.put(pointerKey(this.path), pointer, {
            ...condition,
            contentType: 'text/plain',
          })
          // step: pointer-is-moved
          if (put.status === 'ok') return { manifestKey: key, etag: put.etag }
          const now = await this.#isOurs(key, manifest.createdAtMs)
          return now ? { manifestKey: key, etag: now.manifestKey === key ? now.etag : '' } : 'lost'
        },
        { ...SETTLE, clock: this.#env.clock, random: this.#env.random, when: (e) => (isUnsettled ||= isPassing(e)) },
      )
    } catch (cause) {
      if (!isUnsettled) throw cause
      throw outcomeUnknown(
        'commit-unknown',
        `${pointerKey(this.path)}: the store never said whether the commit took effect`,
        { key: pointerKey(this.path), cause },
      )
    }
  }

  /** The pointer, if it names our manifest or a descendant of it. */
  async #isOurs(key: string, committedAtMs: number): Promise<PointerState | undefined> {
    const now = await this.readPointer()
    if (typeof now === 'string') return undefined
    let at: string | undefined = now.manifestKey
    for (let depth = 0; at !== undefined && depth < LINEAGE_DEPTH; depth++) {
      if (at === key) return now
      const manifest: Manifest | undefined = await this.load(at)
      // A manifest this old, or collected, is no descendant of a commit that is still being settled.
      if (!manifest || manifest.createdAtMs + DAY_MS < committedAtMs) return undefined
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
      await putImmutable(this.#env, key, body)
      stored[field] = { object: { key, sizeBytes: body.length, crc32: crcHex(body) } satisfies ObjectRef }
    }
    return stored as unknown as Parameters<typeof encodeManifest>[0]
  }
}

/** Creates an object whose name no other process can choose; a retry that meets its own first attempt succeeds. */
export async function putImmutable(env: Environment, key: string, body: Uint8Array): Promise<void> {
  const { clock, random } = env
  await retry(() => env.store.put(key, body, { ifAbsent: true }), { ...SETTLE, clock, random, when: isPassing })
}

function assignList(manifest: Manifest, field: ListField, list: unknown): void {
  ;(manifest as unknown as Record<string, unknown>)[field] = list
}
