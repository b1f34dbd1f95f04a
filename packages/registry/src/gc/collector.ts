/**
 * Deletes the contents of files that no version names: those of deleted branches and artifacts, and of uploads without a commit. They
 * are kept for a time of grace, so that a client which has sent contents can commit them.
 *
 * ## To collect
 * 1. Find objects older than the grace that no commit needs which a branch or a tag leads to: blobs and chunked files, later xorbs.
 * 2. Condemn them: write their list into `registry/gc.json`.
 * 3. Read all refs again, and rewrite each with the same content. For xorbs: afterwards, read the chunked files.
 * 4. Begin to delete what is still on the list and still not needed, by compare-and-swap of the list. 5. Delete it. 6. Empty the list.
 *
 * ## Why no version loses its contents
 * A commit reads its refs, takes what it needs off the list (`store/condemned.ts`), looks whether the contents are there, and replaces
 * the refs by compare-and-swap.
 * - If it replaces them before step 3 reads them, the collector sees what it names.
 * - If it read them before step 3 rewrote them and replaces them later, it loses, and begins again.
 * - If it reads them after step 3, the list has been written: it takes the contents off, before step 4 or not at all. In the latter case
 *   it is refused until they are gone, and then for want of them, so the client sends them again.
 * The same holds for artifacts that have no refs: step 3 makes empty ones. An artifact that is made after step 3 reads its refs later still.
 *
 * A commit needs the xorbs of its chunked files, too. They were written before it, so step 3 reads them if it sees the commit. Files that
 * were sent a short time ago need theirs, as well: who writes one looks at the list afterwards.
 *
 * ## Failure cases
 * A crash before step 4 leaves a list that the next run replaces. A crash after it leaves contents that cannot be named; the next run
 * deletes them. It waits a day before it takes over, because a process that stalls between its look at the list (before each batch)
 * and the deletion, and goes on after another has finished, could delete contents that were sent again. This is the only place where
 * the registry relies on a bound: no process stalls there for a day.
 *
 * Uploads to the bucket itself that were not verified within the grace are deleted, too: nothing refers to one (`store/blob-uploads.ts`).
 *
 * Xorbs that no file needs are kept longer: clients remember those that they have sent for three weeks, and those that they were told of
 * for one. A client that remembers one which is gone cannot send what builds on it until it has forgotten it.
 */
import { type Clock, conflict, corrupt, type Ids, type ObjectStore, unavailable } from 'siltstone/internal'
import { artifactKind } from '../store/artifact-document.ts'
import { commitKind, NO_REFS, refsKind } from '../store/commits.ts'
import { type CondemnedDocument, condemnedKind } from '../store/condemned.ts'
import { objectsUnder } from './objects-under.ts'
import { sweepShared } from './sweep-shared.ts'
import type { Documents } from '../store/documents.ts'
import {
  artifactOfPrefix,
  ARTIFACTS_PREFIX,
  blobKey,
  BLOBS_PREFIX,
  CHUNKED_FILES_PREFIX,
  chunkedFileKey,
  chunkedFileOfKey,
  chunkTableKey,
  commitKey,
  GC_KEY,
  isSha256,
  metadataKey,
  refsKey,
  UPLOADS_PREFIX,
  xorbOfKey,
  XORBS_PREFIX,
} from '../store/keys.ts'
import { chunkedFileKind, fileOf, xorbKeysOf } from '../xet/chunked-files.ts'

const DAY_MS = 86_400_000
const TAKE_OVER_AFTER_MS = DAY_MS
const XORB_AGE_MS = 30 * DAY_MS
const PER_ROUND = 2_000
const PER_BATCH = 100
const TOGETHER = 16

export interface CollectOptions {
  /** Default 7 days. Uploads that are not verified are kept as long. */
  graceMs?: number
  /** Xorbs that no file needs are deleted when they are older. Default 30 days. */
  xorbAgeMs?: number
  /** Only counts. */
  dryRun?: boolean
}

export interface Collected {
  /** Blobs and lists of chunks. */
  blobs: number
  bytes: number
  /** Uploads to the bucket itself that were never verified. */
  uploads: number
  uploadBytes: number
  xorbs: number
  xorbBytes: number
}

interface Candidate {
  key: string
  sizeBytes: number
}

interface Deleted {
  objects: number
  bytes: number
}

export class Collector {
  readonly #store: ObjectStore
  readonly #documents: Documents
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(options: { store: ObjectStore; documents: Documents; clock: Clock; ids: Ids }) {
    this.#store = options.store
    this.#documents = options.documents
    this.#clock = options.clock
    this.#ids = options.ids
  }

  /** @throws SiltstoneError `unavailable` (gc-running), `conflict` (gc-overtaken), `corrupt` if a commit cannot be read: then nothing is deleted */
  async collect({
    graceMs = 7 * DAY_MS,
    xorbAgeMs = XORB_AGE_MS,
    dryRun = false,
  }: CollectOptions = {}): Promise<Collected> {
    const nowMs = this.#clock.nowMs()
    const before = nowMs - graceMs
    if (!dryRun) await this.#takeOver()
    const contents = await this.#collect([BLOBS_PREFIX, CHUNKED_FILES_PREFIX], before, { before, dryRun })
    const uploads = await this.#deleteOlder(UPLOADS_PREFIX, before, dryRun)
    const xorbs = await this.#collect([XORBS_PREFIX], nowMs - xorbAgeMs, { before, dryRun })
    if (!dryRun) await sweepShared(this.#store, before)
    return {
      blobs: contents.objects,
      bytes: contents.bytes,
      uploads: uploads.objects,
      uploadBytes: uploads.bytes,
      xorbs: xorbs.objects,
      xorbBytes: xorbs.bytes,
    }
  }

  async #collect(
    prefixes: readonly string[],
    olderThanMs: number,
    { before, dryRun }: { before: number; dryRun: boolean },
  ): Promise<Deleted> {
    const done: Deleted = { objects: 0, bytes: 0 }
    const garbage = await this.#garbage(prefixes, olderThanMs, before)
    for (let at = 0; at < garbage.length; at += PER_ROUND) {
      const part = garbage.slice(at, at + PER_ROUND)
      const deleted = dryRun ? part : await this.#round(part, before)
      done.objects += deleted.length
      done.bytes += deleted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    }
    return done
  }

  async #round(candidates: readonly Candidate[], before: number): Promise<Candidate[]> {
    const round = this.#ids.ulid()
    await this.#documents.change(GC_KEY, condemnedKind, (current): CondemnedDocument => {
      this.#checkFree(current)
      return { ...(current ?? NONE), round, state: 'condemned', keys: candidates.map(({ key }) => key) }
    })
    const needed = await this.#needed(before, true)
    const listed = await this.#documents.change(GC_KEY, condemnedKind, (current): CondemnedDocument => {
      if (current?.round !== round) throw overtaken()
      return { ...current, state: 'deleting', keys: current.keys.filter((each) => !needed.has(each)) }
    })
    const keys = new Set(listed?.document.keys)
    await this.#delete(round)
    return candidates.filter(({ key }) => keys.has(key))
  }

  /** Steps 5 and 6. */
  async #delete(round: string): Promise<void> {
    const { keys } = await this.#mine(round)
    for (let at = 0; at < keys.length; at += PER_BATCH) {
      await this.#mine(round)
      const batch = keys.slice(at, at + PER_BATCH)
      // A table without its xorb is not harmless: other bytes may come in the xorb's place.
      await this.#deleteAll(batch.flatMap(tableOf))
      await this.#deleteAll(batch)
    }
    await this.#documents.change(GC_KEY, condemnedKind, (current): CondemnedDocument => {
      if (current?.round !== round) throw overtaken()
      return { ...current, state: 'idle', keys: [] }
    })
  }

  async #deleteAll(keys: readonly string[]): Promise<void> {
    const { failed } = keys.length === 0 ? { failed: [] } : await this.#store.delete(keys)
    if (failed[0] !== undefined) throw failed[0].error
  }

  async #mine(round: string): Promise<CondemnedDocument> {
    const current = (await this.#documents.read(GC_KEY, condemnedKind))?.document
    if (current?.round === round && current.state === 'deleting') return current
    throw overtaken()
  }

  /** Finishes what a run has left that ended long ago. */
  async #takeOver(): Promise<void> {
    const left = await this.#documents.read(GC_KEY, condemnedKind)
    if (left === undefined || left.document.state === 'idle') return
    if (this.#clock.nowMs() - left.lastModifiedMs < TAKE_OVER_AFTER_MS) {
      const text = `another run began at ${new Date(left.lastModifiedMs).toISOString()} and has not ended: try again a day later at the latest`
      throw unavailable('gc-running', text)
    }
    const round = this.#ids.ulid()
    const mine = await this.#documents.write(GC_KEY, condemnedKind, { ...left.document, round }, left)
    if (mine.status !== 'ok') throw overtaken()
    if (left.document.state === 'deleting') return this.#delete(round)
    await this.#documents.write(
      GC_KEY,
      condemnedKind,
      { ...mine.version.document, state: 'idle', keys: [] },
      mine.version,
    )
  }

  #checkFree(current: CondemnedDocument | undefined): void {
    if (current !== undefined && current.state !== 'idle') throw overtaken()
  }

  async #garbage(prefixes: readonly string[], olderThanMs: number, before: number): Promise<Candidate[]> {
    const needed = await this.#needed(before, false)
    const found: Candidate[] = []
    for (const prefix of prefixes) {
      for await (const { key, sizeBytes, lastModifiedMs } of objectsUnder(this.#store, prefix))
        if (isContents(key) && lastModifiedMs < olderThanMs && !needed.has(key)) found.push({ key, sizeBytes })
    }
    return found
  }

  /**
   * The objects that versions need, and files that were sent after `before`.
   * @param fence rewrites the refs while they are read
   */
  async #needed(before: number, fence: boolean): Promise<Set<string>> {
    const named = await this.#named(before, fence)
    const needed = new Set<string>()
    for (const sha256 of named) needed.add(blobKey(sha256)).add(chunkedFileKey(sha256))
    const files: string[] = []
    for await (const { key, lastModifiedMs } of objectsUnder(this.#store, CHUNKED_FILES_PREFIX))
      if (lastModifiedMs >= before || named.has(chunkedFileOfKey(key) ?? '')) files.push(key)
    for (let at = 0; at < files.length; at += TOGETHER)
      await Promise.all(files.slice(at, at + TOGETHER).map((key) => this.#neededBy(key, needed)))
    return needed
  }

  async #neededBy(key: string, needed: Set<string>): Promise<void> {
    const file = await this.#documents.read(key, chunkedFileKind)
    for (const xorb of file === undefined ? [] : xorbKeysOf(fileOf(file.document, key))) needed.add(xorb)
  }

  /**
   * The contents that versions name. Artifacts that were deleted before the grace began do not count.
   * @param fence rewrites the refs while they are read
   */
  async #named(before: number, fence: boolean): Promise<Set<string>> {
    const named = new Set<string>()
    for await (const ids of this.#artifacts()) {
      for (let at = 0; at < ids.length; at += TOGETHER) {
        await Promise.all(ids.slice(at, at + TOGETHER).map((id) => this.#namedBy(id, before, fence, named)))
      }
    }
    return named
  }

  async #namedBy(id: string, before: number, fence: boolean, named: Set<string>): Promise<void> {
    const artifact = await this.#documents.read(metadataKey(id), artifactKind)
    if (artifact?.document.siltstone.state === 'deleted' && artifact.lastModifiedMs < before) return
    const refs = fence ? await this.#fenced(id) : await this.#documents.read(refsKey(id), refsKind)
    const heads = [...Object.values(refs?.document.branches ?? {}), ...Object.values(refs?.document.tags ?? {})]
    const ends = new Set(refs?.document.ends)
    const seen = new Set<string>()
    for (const head of heads) {
      for (let oid: string | null = head; oid !== null && !seen.has(oid); ) {
        seen.add(oid)
        const parent: string | null = await this.#namedByCommit(id, oid, named)
        oid = ends.has(oid) ? null : parent
      }
    }
  }

  /** @returns its parent */
  async #namedByCommit(id: string, oid: string, named: Set<string>): Promise<string | null> {
    const commit = (await this.#documents.read(commitKey(id, oid), commitKind))?.document
    if (commit === undefined) {
      const key = commitKey(id, oid)
      throw corrupt('commit-missing', `${key} is missing, so nothing is deleted: run "siltstone registry verify"`, {
        key,
      })
    }
    for (const { sha256 } of Object.values(commit.files)) named.add(sha256)
    return commit.parent
  }

  #fenced(id: string) {
    return this.#documents.change(refsKey(id), refsKind, (current) => ({ ...(current ?? NO_REFS) }))
  }

  /** What no version names itself. */
  async #deleteOlder(prefix: string, before: number, dryRun: boolean): Promise<Deleted> {
    const done: Deleted = { objects: 0, bytes: 0 }
    let batch: string[] = []
    for await (const { key, sizeBytes, lastModifiedMs } of objectsUnder(this.#store, prefix)) {
      if (lastModifiedMs >= before) continue
      done.objects++
      done.bytes += sizeBytes
      batch.push(key)
      if (batch.length < PER_BATCH || dryRun) continue
      await this.#deleteAll(batch)
      batch = []
    }
    if (!dryRun) await this.#deleteAll(batch)
    return done
  }

  async *#artifacts(): AsyncGenerator<string[]> {
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const options = { delimiter: '/' as const, ...(continuation !== undefined && { continuation }) }
      const page = await this.#store.list(ARTIFACTS_PREFIX, options)
      continuation = page.continuation
      yield page.prefixes.map(artifactOfPrefix).filter((id) => id !== undefined)
    }
  }
}

function isContents(key: string): boolean {
  if (key.startsWith(BLOBS_PREFIX)) return isSha256(key.slice(BLOBS_PREFIX.length))
  return chunkedFileOfKey(key) !== undefined || xorbOfKey(key) !== undefined
}

function tableOf(key: string): string[] {
  const xorb = xorbOfKey(key)
  return xorb === undefined ? [] : [chunkTableKey(xorb.folder, xorb.hash)]
}

const NONE: CondemnedDocument = {
  round: '',
  state: 'idle',
  keys: [],
  siltstone: { format: condemnedKind.format, v: condemnedKind.v, writes: [] },
}

const overtaken = () => conflict('gc-overtaken', 'another run of the garbage collector has begun: this one ends')
