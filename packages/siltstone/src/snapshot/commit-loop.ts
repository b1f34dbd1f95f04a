/**
 * The commit loop. A commit is built over one manifest and lost when another process commits first. It is then built
 * again over the manifest that is current by then, unless the work does not fit that one any more.
 */
import { type CommitKind, type Manifest, MIN_WRITER } from '../format/manifest.ts'
import type { Environment } from '../ports/environment.ts'
import { isOlderVersion } from '../version.ts'
import { lostIfPointerMoved } from './lost-work.ts'
import type { Current, ManifestStore, PointerState } from './manifest-store.ts'
import { type HistoryPolicy, pinsAfter } from './pins.ts'

/** What a commit is built over: before the first commit, the empty manifest. */
export interface CommitBase {
  pointer: PointerState | 'none'
  manifest: Manifest
}

export interface CommitOptions {
  env: Pick<Environment, 'clock' | 'ids' | 'metrics'>
  kind: CommitKind
  /** Name of the process that commits. */
  writer: string
  /** When the work began. */
  startedAtMs: number
  history: HistoryPolicy
  /** After how many manifests to give up. */
  attempts: number
  /** The manifest that the work began from. Default: the one that is current. */
  from?: CommitBase
  signal?: AbortSignal
}

/**
 * @param changesTo what the commit changes in a manifest; undefined: nothing any more, the loop ends. A missing object
 *   is no error when the pointer has moved since the manifest was read: the next manifest is tried.
 * @returns what was committed; undefined when `changesTo` ended the loop or there is no manifest; `lost` when other
 *   processes were faster in every attempt
 * @throws SiltstoneError `unknown` (commit-unknown), what `changesTo` throws, and the signal's reason
 */
export async function commitChanges(
  manifests: ManifestStore,
  options: CommitOptions,
  changesTo: (base: CommitBase) => Promise<Partial<Manifest> | undefined>,
): Promise<Current | 'lost' | undefined> {
  const { env, attempts, signal } = options
  let isRebase = false
  for (let attempt = 0; attempt < attempts; attempt++) {
    signal?.throwIfAborted()
    const base = (attempt === 0 && options.from) || (await manifests.current())
    if (base === 'none') return undefined
    const changes = await lostIfPointerMoved(manifests, base.pointer, () => changesTo(base))
    if (changes === 'lost') continue
    if (!changes) return undefined
    if (isRebase) env.metrics.count('commits_rebased')
    signal?.throwIfAborted()
    const manifest = nextManifest(base, changes, options)
    const pointer = await manifests.commit(base.pointer, manifest)
    if (pointer !== 'lost') return { pointer, manifest }
    env.metrics.count('commits_lost')
    isRebase = true
  }
  return 'lost'
}

/**
 * The manifest after `current`. It keeps everything that the commit does not change, and `current` becomes history. Its
 * time is never earlier than its parent's, even if the clock is, so that history stays in order.
 */
function nextManifest(
  { pointer, manifest: current }: CommitBase,
  changes: Partial<Manifest>,
  { env, kind, writer, startedAtMs, history }: CommitOptions,
): Manifest {
  const nowMs = Math.max(env.clock.nowMs(), current.createdAtMs)
  const parentKey = pointer === 'none' ? null : pointer.manifestKey
  return {
    ...current,
    ...changes,
    id: env.ids.ulid(),
    kind,
    parent: parentKey === null ? null : { manifestKey: parentKey, committedAtMs: current.createdAtMs },
    createdAtMs: nowMs,
    durationMs: Math.max(0, nowMs - startedAtMs),
    writer,
    minWriter: isOlderVersion(current.minWriter, MIN_WRITER) ? MIN_WRITER : current.minWriter,
    pins: pinsAfter({ ...current, pins: changes.pins ?? current.pins }, parentKey, nowMs, history),
  }
}
