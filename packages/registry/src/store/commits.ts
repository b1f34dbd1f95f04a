/**
 * Versions of an artifact's files. A commit is an immutable object with the whole list of files, each by the SHA-256 of its contents;
 * its id is a hash of the commit itself. `refs.json` says which commit each branch and tag names, with a log of moves.
 *
 * ## To commit
 * 1. Read the refs. 2. Apply the changes to the branch's commit; every blob must be there, and is kept from the garbage collector. 3. Create the commit. 4. Move the branch by
 * compare-and-swap of `refs.json`: the commit point. If the refs changed meanwhile, begin again at 1: changes of other paths are both
 * kept, and of one path the later one. With `parent`, the branch has to be there instead, or the commit is refused.
 *
 * ## Failure cases
 * A crash before 4 leaves a commit that nothing names: no effect. A lost answer at 4: `documents.ts`. The clock decides nothing.
 */
import { createHash } from 'node:crypto'
import { type Clock, conflict, invalid, notFound, unavailable } from 'siltstone/internal'
import type { ChunkedFile } from '../xet/chunked-files.ts'
import { type Blobs, keysOfContents } from './blobs.ts'
import { keepObjects } from './condemned.ts'
import type { DocumentKind, Documents, Envelope } from './documents.ts'
import { commitKey, isSha256, refsKey } from './keys.ts'

export interface CommitFile {
  sha256: string
  sizeBytes: number
  /** The id that git gives the contents, 40 hexadecimal digits; known of small files, which came in a commit's own body. */
  gitOid?: string
}

export interface FileCommit {
  /** 40 hexadecimal digits. */
  oid: string
  parent: string | null
  at: string
  by: string
  message: string
  /** By path. */
  files: Readonly<Record<string, CommitFile>>
}

interface CommitDocument extends Envelope, Omit<FileCommit, 'oid'> {}

interface Move {
  ref: string
  from: string | null
  /** Null: the name was deleted. */
  to: string | null
  at: string
  by: string
}

export interface RefsDocument extends Envelope {
  branches: Readonly<Record<string, string>>
  tags: Readonly<Record<string, string>>
  /** Newest last, at most `MAX_MOVES`. */
  moves: readonly Move[]
  /** Commits with which a history ends, because their parents were forgotten (`gc/expiry.ts`). */
  ends?: readonly string[]
}

const isMapping = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

export const commitKind: DocumentKind<CommitDocument> = {
  format: 'registry-commit',
  v: 1,
  wrongField: ({ files, message }) =>
    !isMapping(files) ? 'files' : typeof message === 'string' ? undefined : 'message',
}

export const refsKind: DocumentKind<RefsDocument> = {
  format: 'registry-refs',
  v: 1,
  wrongField: ({ branches, tags, moves }) =>
    !isMapping(branches) ? 'branches' : !isMapping(tags) ? 'tags' : Array.isArray(moves) ? undefined : 'moves',
}

export interface CommitRequest {
  /** Default `main`. */
  branch?: string
  message: string
  by: string
  /** By path; null removes it. */
  changes: Readonly<Record<string, CommitFile | null>>
  /** The commit that the branch has to name. */
  parent?: string
}

export const DEFAULT_BRANCH = 'main'
const MAX_MOVES = 1_000
const MAX_PATH_CHARACTERS = 1_024
const TRIES = 50
const CHECKED_TOGETHER = 16

export class Commits {
  readonly #documents: Documents
  readonly #blobs: Blobs
  readonly #clock: Clock
  readonly #onChunked: (id: string, file: ChunkedFile) => Promise<void>

  /** @param options.onChunked called before a version is made of which a file consists of chunks */
  constructor(options: {
    documents: Documents
    blobs: Blobs
    clock: Clock
    onChunked?: (id: string, file: ChunkedFile) => Promise<void>
  }) {
    this.#documents = options.documents
    this.#blobs = options.blobs
    this.#clock = options.clock
    this.#onChunked = options.onChunked ?? (() => Promise.resolve())
  }

  /**
   * @param id of the artifact
   * @throws SiltstoneError `invalid` (file-path, ref-name, blob-missing, blob-digest), `conflict` (stale-parent)
   */
  async commit(id: string, request: CommitRequest): Promise<FileCommit> {
    const { branch = DEFAULT_BRANCH, parent, changes, by } = request
    checkRef(branch)
    for (const path of Object.keys(changes)) checkPath(path)
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const refs = await this.#documents.read(refsKey(id), refsKind)
      // After the refs: `gc/collector.ts` rests on this order.
      const chunked = await this.#checkContents(changes)
      const head = refs?.document.branches[branch] ?? null
      if (parent !== undefined && parent !== head) {
        throw conflict('stale-parent', `${branch} is at ${head ?? 'no commit'}, not at ${parent}: read it again`, {
          field: 'parent',
        })
      }
      const before = head === null ? {} : (await this.#existing(id, head)).files
      const made = await this.#create(id, {
        parent: head,
        by,
        message: request.message,
        files: withChanges(before, changes),
      })
      for (const file of chunked) await this.#onChunked(id, file)
      const move = { ref: `refs/heads/${branch}`, from: head, to: made.oid, at: made.at, by }
      const next = { ...(refs?.document ?? NO_REFS), branches: { ...refs?.document.branches, [branch]: made.oid } }
      const written = await this.#documents.write(
        refsKey(id),
        refsKind,
        { ...next, moves: [...next.moves, move].slice(-MAX_MOVES) },
        refs ?? null,
      )
      if (written.status === 'ok') return made
      await this.#clock.sleep(Math.min(200, 5 * attempt))
    }
    throw contended(branch)
  }

  /** @param revision branch, tag, commit id, or `HEAD` @throws SiltstoneError `not-found` (revision-not-found) */
  async resolve(id: string, revision: string): Promise<FileCommit> {
    const refs = (await this.#documents.read(refsKey(id), refsKind))?.document
    const name = revision === 'HEAD' ? DEFAULT_BRANCH : revision
    const named = own(refs?.branches, name) ?? own(refs?.tags, name)
    const commit = await this.#find(id, named ?? name)
    if (commit === undefined)
      throw notFound('revision-not-found', `the artifact has no revision ${revision.slice(0, 100)}`)
    return commit
  }

  async refs(id: string): Promise<Pick<RefsDocument, 'branches' | 'tags'>> {
    const { branches, tags } = (await this.#documents.read(refsKey(id), refsKind))?.document ?? NO_REFS
    return { branches, tags }
  }

  /**
   * Makes a branch or a tag.
   * @throws SiltstoneError `invalid` (ref-name), `conflict` (ref-exists), `not-found` (revision-not-found)
   */
  async createRef(id: string, kind: RefKind, name: string, revision: string, by: string): Promise<void> {
    checkRef(name)
    const { oid } = await this.resolve(id, revision)
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const refs = await this.#documents.read(refsKey(id), refsKind)
      if (refs !== undefined && Object.hasOwn(refs.document[kind], name))
        throw conflict('ref-exists', `there is a ${KIND[kind]} ${name}`)
      // The contents of a version that no name reaches may be gone.
      if (refs === undefined || !(await this.#reaches(id, refs.document, oid)))
        throw notFound('revision-not-found', `no branch and no tag of the artifact leads to ${oid}`)
      const next = moved(refs.document, { kind, name, to: oid, by, at: new Date(this.#clock.nowMs()).toISOString() })
      if ((await this.#documents.write(refsKey(id), refsKind, next, refs)).status === 'ok') return
      await this.#clock.sleep(Math.min(200, 5 * attempt))
    }
    throw contended(`${KIND[kind]} ${name}`)
  }

  /** @throws SiltstoneError `not-found` (revision-not-found), `invalid` (ref-name): the branch that everybody reads */
  async deleteRef(id: string, kind: RefKind, name: string, by: string): Promise<void> {
    if (kind === 'branches' && name === DEFAULT_BRANCH) {
      throw invalid('ref-name', `the branch ${DEFAULT_BRANCH} cannot be deleted`, { field: 'branch' })
    }
    await this.#changeRefs(id, by, kind, name, (refs) => {
      if (Object.hasOwn(refs[kind], name)) return null
      throw notFound('revision-not-found', `the artifact has no ${KIND[kind]} ${name.slice(0, 100)}`)
    })
  }

  /** @param decide returns the commit that the name is to stand for; null: none */
  async #changeRefs(
    id: string,
    by: string,
    kind: RefKind,
    name: string,
    decide: (refs: RefsDocument) => string | null,
  ): Promise<void> {
    const at = new Date(this.#clock.nowMs()).toISOString()
    await this.#documents.change(refsKey(id), refsKind, (current) => {
      const refs = current ?? NO_REFS
      const to = decide(refs)
      return moved(refs, { kind, name, to, by, at })
    })
  }

  /** Whether a branch or a tag leads to the commit. */
  async #reaches(id: string, { branches, tags, ends = [] }: RefsDocument, oid: string): Promise<boolean> {
    const heads = [...Object.values(branches), ...Object.values(tags)]
    if (heads.includes(oid)) return true
    const seen = new Set<string>()
    for (const head of heads) {
      for (let next: string | null = head; next !== null && !seen.has(next); ) {
        if (next === oid) return true
        seen.add(next)
        next = ends.includes(next) ? null : (await this.#existing(id, next)).parent
      }
    }
    return false
  }

  /** The latest commits before and including `oid`, newest first, as far as they were not forgotten. */
  async history(id: string, oid: string, limit: number): Promise<FileCommit[]> {
    const ends = async () => new Set((await this.#documents.read(refsKey(id), refsKind))?.document.ends)
    let known = await ends()
    const commits: FileCommit[] = []
    for (let next: string | null = oid; next !== null && commits.length < limit; ) {
      const child = commits.at(-1)
      const commit: FileCommit | undefined = await this.#find(id, next)
      if (commit === undefined) {
        known = await ends()
        // It was forgotten meanwhile.
        if (child !== undefined && known.has(child.oid)) break
        throw missingCommit(id, next)
      }
      commits.push(commit)
      next = known.has(commit.oid) ? null : commit.parent
    }
    return commits
  }

  async #find(id: string, oid: string): Promise<FileCommit | undefined> {
    if (!/^[0-9a-f]{40}$/.test(oid)) return undefined
    const version = await this.#documents.read(commitKey(id, oid), commitKind)
    if (version === undefined) return undefined
    const { parent, at, by, message, files } = version.document
    return { oid, parent, at, by, message, files }
  }

  async #existing(id: string, oid: string): Promise<FileCommit> {
    const commit = await this.#find(id, oid)
    if (commit === undefined) throw missingCommit(id, oid)
    return commit
  }

  async #create(id: string, made: Omit<FileCommit, 'oid' | 'at'>): Promise<FileCommit> {
    const commit = { ...made, at: new Date(this.#clock.nowMs()).toISOString() }
    const oid = createHash('sha256').update(JSON.stringify(commit)).digest('hex').slice(0, 40)
    const document = { ...commit, siltstone: { format: commitKind.format, v: commitKind.v, writes: [] } }
    // If it exists it is the same: its id is its hash.
    await this.#documents.write(commitKey(id, oid), commitKind, document, null)
    return { ...commit, oid }
  }

  /** @returns those that consist of chunks */
  async #checkContents(changes: CommitRequest['changes']): Promise<ChunkedFile[]> {
    const files = Object.entries(changes).flatMap(([path, file]) => (file === null ? [] : [{ path, file }]))
    const shas = new Set(
      files.flatMap(({ file: { sha256, gitOid } }) => (mayBeChunked(sha256, gitOid) ? [sha256] : [])),
    )
    const chunked = await this.#kept(
      files.map(({ file }) => file.sha256),
      [...shas],
    )
    const checks = files.map(({ path, file: { sha256, sizeBytes } }) => async () => {
      const problem = await this.#blobs.problem(sha256, sizeBytes, chunked.get(sha256))
      if (problem === undefined) return
      const text = `the contents ${sha256.slice(0, 64)} of ${path} ${problem}: upload them first`
      throw invalid('blob-missing', text, { field: path })
    })
    for (let at = 0; at < checks.length; at += CHECKED_TOGETHER)
      await Promise.all(checks.slice(at, at + CHECKED_TOGETHER).map((check) => check()))
    return [...chunked.values()]
  }

  /**
   * Keeps contents from the garbage collector, with the chunks of which they consist.
   * @returns those that consist of chunks
   */
  async #kept(sha256s: readonly string[], maybeChunked: readonly string[]): Promise<Map<string, ChunkedFile>> {
    for (let attempt = 0; ; attempt++) {
      const chunked = await this.#chunkedOf(maybeChunked)
      const keys = new Set(sha256s.flatMap((each) => keysOfContents(each, chunked.get(each))))
      await keepObjects(this.#documents, keys)
      // Between the two steps they may have been deleted and sent again, in other chunks.
      const now = await this.#chunkedOf([...chunked.keys()])
      if ([...now].every(([sha256, file]) => keysOfContents(sha256, file).every((key) => keys.has(key)))) return now
      if (attempt >= TRIES) throw contended('contents')
    }
  }

  async #chunkedOf(sha256s: readonly string[]): Promise<Map<string, ChunkedFile>> {
    const found = new Map<string, ChunkedFile>()
    for (let at = 0; at < sha256s.length; at += CHECKED_TOGETHER) {
      const read = sha256s.slice(at, at + CHECKED_TOGETHER).map(async (sha256) => {
        const file = await this.#blobs.chunked(sha256)
        if (file !== undefined) found.set(sha256, file)
      })
      await Promise.all(read)
    }
    return found
  }
}

/** What came in the body of a commit is a blob. */
const mayBeChunked = (sha256: string, gitOid: string | undefined) => gitOid === undefined && isSha256(sha256)

function moved(
  refs: RefsDocument,
  { kind, name, to, by, at }: { kind: RefKind; name: string; to: string | null; by: string; at: string },
): RefsDocument {
  const { [name]: from = null, ...rest } = refs[kind]
  const move = { ref: `refs/${kind === 'tags' ? 'tags' : 'heads'}/${name}`, from, to, at, by }
  const names = to === null ? rest : { ...rest, [name]: to }
  return { ...refs, [kind]: names, moves: [...refs.moves, move].slice(-MAX_MOVES) }
}

const missingCommit = (id: string, oid: string) =>
  notFound('revision-not-found', `the commit ${oid} of artifact ${id} is missing: run registry verify`)
const contended = (what: string) =>
  unavailable('registry-contended', `too many concurrent changes of ${what}: try again`, { retryAfterMs: 1_000 })

export type RefKind = 'branches' | 'tags'
const KIND: Readonly<Record<RefKind, string>> = { branches: 'branch', tags: 'tag' }

export const NO_REFS: RefsDocument = {
  branches: {},
  tags: {},
  moves: [],
  siltstone: { format: refsKind.format, v: refsKind.v, writes: [] },
}

const own = (names: Readonly<Record<string, string>> | undefined, name: string) =>
  names !== undefined && Object.hasOwn(names, name) ? names[name] : undefined

function withChanges(files: FileCommit['files'], changes: CommitRequest['changes']): FileCommit['files'] {
  const next = new Map(Object.entries(files))
  for (const [path, file] of Object.entries(changes)) {
    if (file === null) next.delete(path)
    else {
      const { sha256, sizeBytes, gitOid } = file
      next.set(path, { sha256, sizeBytes, ...(gitOid !== undefined && { gitOid }) })
    }
  }
  return Object.fromEntries([...next].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function checkPath(path: string): void {
  const parts = path.split('/')
  const isBad =
    path.length > MAX_PATH_CHARACTERS ||
    /[\p{Cc}\\]/u.test(path) ||
    parts.some((part) => /^(?:|\.|\.\.|\.git|__proto__)$/.test(part))
  if (isBad) {
    throw invalid('file-path', `"${path.slice(0, 200)}" cannot be a path: give a relative one with "/" between names`, {
      field: 'path',
    })
  }
}

function checkRef(name: string): void {
  if (
    !/^[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)*$/.test(name) ||
    name.length > 200 ||
    /\.\.|^__proto__$|^HEAD$|^[0-9a-f]{40}$/.test(name)
  ) {
    throw invalid('ref-name', `"${name.slice(0, 200)}" cannot be the name of a branch`, { field: 'branch' })
  }
}
