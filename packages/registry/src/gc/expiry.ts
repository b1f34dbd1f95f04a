/**
 * Forgets old versions of files: those that are older than a time, that no branch and no tag names itself. Their contents are then
 * garbage, unless a younger version has them, too.
 *
 * ## To expire
 * For each artifact: 1. Read the refs, and follow each branch and tag to its parents, as far as they are young enough; what a branch or a
 * tag names is kept whatever its age. 2. Write into the refs, by compare-and-swap, where histories end now (`ends`, as git's shallow
 * boundary). 3. Delete the commits that are not kept and are old.
 *
 * ## Failure cases
 * - The refs change between 1 and 2 (a commit, or a tag on an old version): the swap fails, and the artifact is looked at again.
 * - A crash between 2 and 3 leaves commits to which nothing leads. The next run finds them by listing.
 * - A commit that is being made is young, so step 3 leaves it alone.
 * - A reader that has read the refs before 2 meets a deleted commit; `Commits.history` reads the refs again then.
 */
import { type Clock, corrupt, type ObjectStore } from 'siltstone/internal'
import { commitKind, refsKind, type RefsDocument } from '../store/commits.ts'
import type { Documents, Version } from '../store/documents.ts'
import { artifactOfPrefix, ARTIFACTS_PREFIX, commitKey, commitOfKey, commitsPrefix, refsKey } from '../store/keys.ts'

export interface ExpireOptions {
  olderThanMs: number
  /** Only counts. */
  dryRun?: boolean
}

const TRIES = 10
const PER_BATCH = 100

export class Expiry {
  readonly #store: ObjectStore
  readonly #documents: Documents
  readonly #clock: Clock
  readonly #onForgotten: ((id: string) => Promise<void>) | undefined

  /** @param options.onForgotten called for each artifact of which versions were forgotten */
  constructor(options: {
    store: ObjectStore
    documents: Documents
    clock: Clock
    onForgotten?: (id: string) => Promise<void>
  }) {
    this.#onForgotten = options.onForgotten
    this.#store = options.store
    this.#documents = options.documents
    this.#clock = options.clock
  }

  /** @returns how many versions were forgotten @throws SiltstoneError `corrupt` (commit-missing): run verify */
  async expire({ olderThanMs, dryRun = false }: ExpireOptions): Promise<{ versions: number }> {
    const before = this.#clock.nowMs() - olderThanMs
    let versions = 0
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const options = { delimiter: '/' as const, ...(continuation !== undefined && { continuation }) }
      const page = await this.#store.list(ARTIFACTS_PREFIX, options)
      continuation = page.continuation
      for (const prefix of page.prefixes) {
        const id = artifactOfPrefix(prefix)
        const forgotten = id === undefined ? 0 : await this.#expireOf(id, before, dryRun)
        versions += forgotten
        if (id !== undefined && forgotten > 0 && !dryRun) await this.#onForgotten?.(id)
      }
    }
    return { versions }
  }

  async #expireOf(id: string, before: number, dryRun: boolean): Promise<number> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const refs = await this.#documents.read(refsKey(id), refsKind)
      if (refs === undefined) return 0
      const { kept, ends } = await this.#keptOf(id, refs.document, before)
      if (!dryRun && !(await this.#end(id, refs, ends))) continue
      return this.#deleteOld(id, kept, before, dryRun)
    }
    // It changes all the time: the next run finds it quieter.
    return 0
  }

  /** False: the refs have changed since they were read. */
  async #end(id: string, refs: Version<RefsDocument>, ends: readonly string[]): Promise<boolean> {
    if (JSON.stringify(ends) === JSON.stringify(refs.document.ends ?? [])) return true
    const written = await this.#documents.write(refsKey(id), refsKind, { ...refs.document, ends }, refs)
    return written.status === 'ok'
  }

  async #keptOf(id: string, refs: RefsDocument, before: number): Promise<{ kept: Set<string>; ends: string[] }> {
    const named = new Set([...Object.values(refs.branches), ...Object.values(refs.tags)])
    const ended = new Set(refs.ends)
    const kept = new Set<string>()
    const parents = new Map<string, string>()
    for (const head of named) {
      for (let oid: string | null = head; oid !== null && !kept.has(oid); ) {
        const commit = await this.#commit(id, oid)
        if (oid !== head && !named.has(oid) && Date.parse(commit.at) < before) break
        kept.add(oid)
        if (commit.parent !== null) parents.set(oid, commit.parent)
        oid = ended.has(oid) ? null : commit.parent
      }
    }
    return { kept, ends: [...parents].flatMap(([oid, parent]) => (kept.has(parent) ? [] : [oid])).toSorted() }
  }

  async #commit(id: string, oid: string) {
    const key = commitKey(id, oid)
    const commit = (await this.#documents.read(key, commitKind))?.document
    if (commit === undefined)
      throw corrupt('commit-missing', `${key} is missing: run "siltstone registry verify"`, { key })
    return commit
  }

  async #deleteOld(id: string, kept: ReadonlySet<string>, before: number, dryRun: boolean): Promise<number> {
    const old: string[] = []
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const page = await this.#store.list(commitsPrefix(id), continuation === undefined ? {} : { continuation })
      continuation = page.continuation
      for (const { key, lastModifiedMs } of page.objects) {
        const oid = commitOfKey(key)
        if (oid !== undefined && !kept.has(oid) && lastModifiedMs < before) old.push(key)
      }
    }
    for (let at = 0; at < old.length && !dryRun; at += PER_BATCH) {
      const { failed } = await this.#store.delete(old.slice(at, at + PER_BATCH))
      if (failed[0] !== undefined) throw failed[0].error
    }
    return old.length
  }
}
