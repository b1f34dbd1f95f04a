/**
 * Files beside a recording: `talk.srt` or `talk.vtt` of `talk.mp4`, in the same bucket. A processor reads what is newest there.
 *
 * The state of a recording names the versions that its run has read and the files that it did not find. A worker that looks at
 * a finished recording therefore sees whether another run would read something else; if so, the recording is processed again.
 * The order in which the files arrive does not matter, nor does the loss of a message:
 * - A change of a side-car during a run is found when the worker looks at the recording again at the end of the run.
 * - A message about a side-car causes a message about each recording that has read another version of it, or found none. If
 *   that message is lost, a sweep looks at all recordings.
 * - A side-car that was deleted because of its age is no change if its own records stay: what the recording took from it
 *   stays, too. If a client deleted it, the recording is processed without it.
 *
 * All of the recording is processed again, speech included: records of two runs are never mixed.
 */
import type { BlobStore } from 'siltstone/internal'
import { headOf, listOf, versionOf } from './bucket-view.ts'
import { type ObjectAccess, objectAccess } from './object-access.ts'
import type { ObjectState, SideCar } from './state.ts'
import type { StateStore } from './state-store.ts'

/** Of the files whose change is told to recordings at once. That of another is found by a sweep. */
const TOLD_EXTENSIONS = ['.srt', '.vtt']

/** `a/talk.srt` for `a/talk.mp4`. A name without an extension, or that only has one, gets it at its end. */
export function siblingKey(key: string, extension: string): string {
  const nameAt = key.lastIndexOf('/') + 1
  const dotAt = key.lastIndexOf('.')
  return `${dotAt > nameAt ? key.slice(0, dotAt) : key}${extension}`
}

/** The side-cars that one run reads. */
export class SideCars {
  readonly found: SideCar[] = []
  readonly #blobs: BlobStore
  readonly #key: string
  readonly #opened: ObjectAccess[] = []

  constructor(blobs: BlobStore, key: string) {
    this.#blobs = blobs
    this.#key = key
  }

  /** The first read that failed. */
  get failure(): ObjectAccess['failure'] {
    return this.#opened.find(({ failure }) => failure !== undefined)?.failure
  }

  readonly open = async (extension: string): Promise<ObjectAccess | undefined> => {
    const key = siblingKey(this.#key, extension)
    if (key === this.#key) return undefined
    const info = await headOf(this.#blobs, key)
    const object = info && versionOf(info)
    // If it changes between two looks, the first one counts, so that the recording is looked at again.
    if (!this.found.some((one) => one.key === key)) this.found.push({ key, version: object?.version ?? null })
    if (object === undefined) return undefined
    const access = objectAccess(this.#blobs, key, object, info?.versionId)
    this.#opened.push(access)
    return access
  }
}

/** Work that is not at its end looks at the files by itself, and what is gone is not processed again. */
export const mayBeStale = ({ progress }: ObjectState): boolean => progress === 'done' || progress === 'dead'

/** @param hasExpired whether an object that is gone was deleted because of its age, and its records stay */
export async function haveChanged(
  sideCars: readonly SideCar[],
  blobs: BlobStore,
  hasExpired: (key: string) => Promise<boolean>,
): Promise<boolean> {
  for (const { key, version } of sideCars) {
    const info = await headOf(blobs, key)
    if (info !== undefined && versionOf(info).version !== version) return true
    if (info === undefined && version !== null && !(await hasExpired(key))) return true
  }
  return false
}

/**
 * Keys of the objects whose last run has found another version of this file, or none, or one that is gone now. Others are left
 * out: recordings may have names like `talk.srt` and `talk.vtt`, and would cause each other to be looked at forever.
 */
export async function readersOf(key: string, bucket: string, blobs: BlobStore, states: StateStore): Promise<string[]> {
  const extension = TOLD_EXTENSIONS.find((one) => key.endsWith(one))
  if (extension === undefined) return []
  const stem = key.slice(0, -extension.length)
  const candidates = [stem]
  for (let continuation: string | undefined, more = true; more; ) {
    const page = await listOf(blobs, { prefix: `${stem}.`, ...(continuation !== undefined && { continuation }) })
    candidates.push(...page.blobs.map((blob) => blob.key))
    continuation = page.continuation
    more = continuation !== undefined
  }
  const info = await headOf(blobs, key)
  const version = info === undefined ? null : versionOf(info).version
  const readers: string[] = []
  for (const candidate of candidates) {
    if (candidate === key || siblingKey(candidate, extension) !== key) continue
    const state = (await states.readable(bucket, candidate))?.state
    if (state === undefined || !mayBeStale(state)) continue
    if (state.sideCars.some((one) => one.key === key && one.version !== version)) readers.push(candidate)
  }
  return readers
}
