/**
 * The derived index: which artifacts there are, by name, type, text and meaning. It is two collections of the same store.
 * `names` has one record for each visible artifact, with its name as document. `readmes` has one for each of them that has a
 * README, with its text and a vector. Documents are separate because a regular expression is matched against each as one text.
 *
 * ## Kept by each commit
 * The truth is `artifacts/<id>/metadata.json`. After each commit `refresh` reads it, writes what it read into the index, and reads it
 * again: if it has changed, it repeats. So in any order in which processes refresh an artifact, the last of them
 * leaves the index as the metadata is. Reads of the index are strong: an artifact that was acknowledged is found by all processes.
 *
 * ## Failure cases
 * - A process that ends between commit and refresh leaves the intent of the change, and the process that finishes it refreshes again.
 * - One that ends between the two collections, or between write and second read, likewise.
 * - A collection that is missing (the store was reset) is made again, and filled from the bucket before it is read.
 * - Everything else, a restored bucket for example: `reindex`, which may run while others write.
 */
import { isSiltstoneError, type SiltstoneError } from 'siltstone/internal'
import type { Metadata, Store, StoreCollection, Where } from 'siltstone'
import { REGISTRY_DATABASE, REGISTRY_TENANT } from '../accounts/store-access.ts'
import type { ArtifactType } from '../evidence/evidence.ts'
import type { ArtifactDocument } from '../store/artifact-document.ts'
import { type ArtifactPage, entryMetadata, indexedArtifact, type IndexedArtifact } from './entry.ts'
import { AS_JUST_READ, pageOf } from './page.ts'
import { fuse } from './fuse.ts'
import { differencesOf, type IndexDifference, type ReadArtifact } from './index-check.ts'

/** Whose view of the registry it is: private artifacts of others are left out. */
export interface Viewer {
  name: string
  isAdmin: boolean
}

export interface ListClause {
  /** Exact; undefined: all. */
  name?: string
  /** Empty: all. */
  types?: readonly ArtifactType[]
}

export interface SearchOptions {
  text: string
  type?: ArtifactType | undefined
  licence?: string | undefined
  minNetScore?: number | undefined
  /** Only those that name this source as something that they were made from. */
  madeFrom?: string | undefined
  /** Default 10, at most 100. */
  limit?: number | undefined
}

export interface ArtifactIndexOptions {
  store: Store
  /** The truth about one artifact. */
  read(id: string): Promise<ArtifactDocument | undefined>
  /** Ids of all artifacts in the bucket, in any state. */
  ids(): AsyncIterable<string>
}

interface Collections {
  names: StoreCollection
  readmes: StoreCollection
}

interface Opened extends Collections {
  /** They were read since the request began. */
  isFresh: boolean
}

/** Records of `names` are found by their documents and metadata, never by their vectors. */
const NO_VECTOR = [0]
const BATCH = 200
const CANDIDATES = 100

export class ArtifactIndex {
  readonly #options: ArtifactIndexOptions
  readonly #store: Store
  #opened: Promise<Collections> | undefined

  constructor(options: ArtifactIndexOptions) {
    this.#options = options
    this.#store = options.store.in({ tenant: REGISTRY_TENANT, database: REGISTRY_DATABASE })
  }

  /** Reads ahead what the first requests need, if the index is there. */
  async prepare(): Promise<void> {
    const found = await this.#found()
    if (found === undefined) return
    this.#opened ??= Promise.resolve(found)
    await Promise.all([found.names.prepare(), found.readmes.prepare()])
  }

  /** Brings the index to what the bucket says about one artifact. */
  async refresh(id: string): Promise<void> {
    await this.#with((to) => this.#refreshAll(to, [id]))
  }

  /**
   * Compares index and bucket, and refreshes what differs.
   * @returns how many artifacts were refreshed and how many are in the index afterwards
   */
  async reindex(): Promise<{ refreshed: number; artifacts: number }> {
    return this.#with((to) => this.#fill(to))
  }

  /** Those of these artifacts that the index shows otherwise than the bucket has them. */
  async compare(ids: readonly string[]): Promise<IndexDifference[]> {
    return this.#with(async (to) => differencesOf(to, await this.#readAll(ids)))
  }

  /** Of all artifacts that the index shows. */
  ids(): Promise<Set<string>> {
    return this.#with(idsIn)
  }

  /** In the order of ids, which is that of registration. @param after the id before the first of the page */
  async list(clauses: readonly ListClause[], viewer: Viewer, limit: number, after?: string): Promise<ArtifactPage> {
    if (clauses.length === 0) return { artifacts: [], next: null }
    const where = allOf(visibleTo(viewer), anyOf(clauses.map(clauseOf)))
    // A selective condition is answered by the filter index at once.
    const isSelective = clauses.every(({ name }) => name !== undefined)
    return this.#with(({ names, isFresh }) =>
      pageOf(names, where, { limit, after, isSelective, isFew: isSelective, isFresh }),
    )
  }

  /**
   * Artifacts whose name or README contains a match, each as one text.
   * @throws SiltstoneError `invalid` (regex-syntax)
   */
  async matching(pattern: string, viewer: Viewer, limit: number, after?: string): Promise<ArtifactPage> {
    const args = { whereDocument: { $regex: pattern }, include: ['metadatas' as const], ...whereOf(visibleTo(viewer)) }
    return this.#with(async ({ names, readmes, isFresh }) => {
      const found = new Map<string, IndexedArtifact>()
      const level = isFresh ? AS_JUST_READ : {}
      const results = await Promise.all([names.get({ ...args, ...level }), readmes.get({ ...args, ...level })])
      for (const result of results) {
        for (const { id, metadata } of result.rows()) found.set(id, indexedArtifact(id, metadata))
      }
      const ids = [...found.keys()].filter((id) => after === undefined || id > after).toSorted()
      const page = ids.slice(0, limit)
      return {
        artifacts: page.flatMap((id) => found.get(id) ?? []),
        next: ids.length > page.length ? (page.at(-1) ?? null) : null,
      }
    })
  }

  /** By the words and the meaning of READMEs and by the words of names; best first. */
  async search(options: SearchOptions, viewer: Viewer): Promise<(IndexedArtifact & { score: number })[]> {
    const { text, type, licence, minNetScore, madeFrom, limit = 10 } = options
    const where = allOf(
      visibleTo(viewer),
      type !== undefined && { type },
      licence !== undefined && { licence },
      minNetScore !== undefined && { net_score: { $gte: minNetScore } },
      madeFrom !== undefined && { parents: { $contains: madeFrom.toLowerCase() } },
    )
    const found = (rank: { query: string; key?: string }) => ({
      rank: { $knn: { ...rank, limit: CANDIDATES } },
      limit: CANDIDATES,
      select: ['#metadata'],
      ...whereOf(where),
    })
    if (text.trim() === '') {
      const { artifacts } = await this.#with(({ names, isFresh }) =>
        pageOf(names, where, { limit, isSelective: false, isFresh }),
      )
      return artifacts.map((artifact) => ({ ...artifact, score: 0 }))
    }
    return this.#with(async ({ names, readmes }) => {
      const [byReadme, byName] = await Promise.all([
        readmes.search([found({ query: text }), found({ query: text, key: '#document' })]),
        names.search(found({ query: text, key: '#document' })),
      ])
      return fuse([...byReadme.rows(), ...byName.rows()], limit)
    })
  }

  /** Artifacts that have a repository here, by the words of a part of their name. */
  async repositories(
    { type, owner, text }: { type: ArtifactType; owner?: string | undefined; text?: string | undefined },
    viewer: Viewer,
    limit: number,
    after?: string,
  ): Promise<ArtifactPage> {
    const where = allOf(
      visibleTo(viewer),
      { type },
      { hosted: true },
      owner !== undefined && { owner: owner.toLowerCase() },
    )
    const whereDocument = text === undefined || text === '' ? undefined : { $regex: `(?i)${escaped(text)}` }
    return this.#with(({ names, isFresh }) =>
      pageOf(names, where, { limit, after, whereDocument, isSelective: false, isFresh }),
    )
  }

  /** Visible artifacts that name this source as something that they were made from. */
  async madeFrom(canonicalUrl: string, viewer: Viewer, limit: number): Promise<IndexedArtifact[]> {
    const where = allOf(visibleTo(viewer), { parents: { $contains: canonicalUrl.toLowerCase() } })
    const { artifacts } = await this.#with(({ names, isFresh }) =>
      pageOf(names, where, { limit, isSelective: true, isFew: true, isFresh }),
    )
    return artifacts
  }

  /** All of one account, in the order of ids. */
  ownedBy(name: string, limit: number, after?: string): Promise<ArtifactPage> {
    return this.#with(({ names, isFresh }) => pageOf(names, { by: name }, { limit, after, isSelective: true, isFresh }))
  }

  count(): Promise<number> {
    return this.#with(({ names }) => names.count())
  }

  /** Runs `work`; if a collection is missing, makes and fills it, and runs it once more. */
  async #with<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#collections())
    } catch (error) {
      if (!isMissing(error)) throw error
      this.#opened = undefined
      return await work(await this.#collections())
    }
  }

  async #collections(): Promise<Opened> {
    // To open them reads their logs, after the request began that opens them; not after those that wait for it.
    const isFresh = this.#opened === undefined
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return { ...(await this.#opened), isFresh }
  }

  async #open(): Promise<Collections> {
    const found = await this.#found()
    if (found !== undefined) return found
    const ifNew = (made: Promise<void>) =>
      made.catch((error: unknown) => {
        if (!isSiltstoneError(error, 'conflict')) throw error
      })
    await ifNew(this.#store.createTenant({ name: REGISTRY_TENANT }))
    await ifNew(this.#store.createDatabase({ name: REGISTRY_DATABASE }))
    const made = {
      readmes: await this.#store.getOrCreateCollection({
        name: 'readmes',
        configuration: { hnsw: { space: 'cosine' } },
      }),
      names: await this.#store.getOrCreateCollection({ name: 'names', embeddingFunction: null }),
    }
    await this.#fill(made)
    return made
  }

  /** Both at once, because a distant bucket answers each after a while. Undefined: at least one is missing. */
  async #found(): Promise<Collections | undefined> {
    try {
      const [names, readmes] = await Promise.all([
        this.#store.getCollection({ name: 'names', embeddingFunction: null }),
        this.#store.getCollection({ name: 'readmes' }),
      ])
      return { names, readmes }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async #fill(to: Collections): Promise<{ refreshed: number; artifacts: number }> {
    const unseen = await idsIn(to)
    let refreshed = 0
    let batch: string[] = []
    const flush = async () => {
      refreshed += batch.length
      if (batch.length > 0) await this.#refreshAll(to, batch)
      batch = []
    }
    for await (const id of this.#options.ids()) {
      unseen.delete(id)
      batch.push(id)
      if (batch.length >= BATCH) await flush()
    }
    batch.push(...unseen)
    await flush()
    return { refreshed, artifacts: await to.names.count() }
  }

  #readAll(ids: readonly string[]): Promise<ReadArtifact[]> {
    return Promise.all(ids.map(async (id) => ({ id, document: await this.#options.read(id) })))
  }

  async #refreshAll(to: Collections, ids: readonly string[]): Promise<void> {
    let left = ids
    while (left.length > 0) {
      const read = await this.#readAll(left)
      await write(to, read)
      const stale = await Promise.all(
        read.map(async ({ id, document }) => {
          const now = await this.#options.read(id)
          return now?.siltstone.writes.at(-1) === document?.siltstone.writes.at(-1) ? [] : [id]
        }),
      )
      left = stale.flat()
    }
  }
}

async function idsIn({ names, readmes }: Collections): Promise<Set<string>> {
  const [named, described] = [await names.get({ include: [] }), await readmes.get({ include: [] })]
  return new Set([...named.ids, ...described.ids])
}

async function write({ names, readmes }: Collections, read: readonly ReadArtifact[]): Promise<void> {
  const visible: { id: string; name: string; metadata: Metadata; readme: string | undefined }[] = []
  for (const { id, document } of read) {
    if (document?.siltstone.state !== 'ready') continue
    const readme = document.data.hf_data?.[0].readme_text
    visible.push({ id, name: document.metadata.name, metadata: entryMetadata(document), readme: readme || undefined })
  }
  const shown = new Set(visible.map(({ id }) => id))
  const gone = read.filter(({ id }) => !shown.has(id)).map(({ id }) => id)
  const described = visible.filter(({ readme }) => readme !== undefined)
  const bare = [...gone, ...visible.filter(({ readme }) => readme === undefined).map(({ id }) => id)]
  if (described.length > 0) {
    await readmes.upsert({
      ids: described.map(({ id }) => id),
      documents: described.map(({ readme }) => readme),
      metadatas: described.map(({ metadata }) => metadata),
    })
  }
  if (bare.length > 0) await readmes.delete({ ids: bare })
  if (visible.length > 0) {
    await names.upsert({
      ids: visible.map(({ id }) => id),
      documents: visible.map(({ name }) => name),
      metadatas: visible.map(({ metadata }) => metadata),
      embeddings: visible.map(() => NO_VECTOR),
    })
  }
  if (gone.length > 0) await names.delete({ ids: gone })
}

const escaped = (text: string) => text.replaceAll(/[^\p{L}\p{N}_]/gu, '\\$&')

const MISSING = new Set(['collection-missing', 'database-missing', 'tenant-missing'])
const isMissing = (error: unknown): error is SiltstoneError => isSiltstoneError(error) && MISSING.has(error.code)

const visibleTo = ({ name, isAdmin }: Viewer): Where | undefined =>
  isAdmin ? undefined : { $or: [{ private: false }, { by: name }] }

const clauseOf = ({ name, types = [] }: ListClause): Where | undefined =>
  allOf(name !== undefined && { name }, types.length > 0 && { type: { $in: [...types] } })

function allOf(...conditions: (Where | undefined | false)[]): Where | undefined {
  const given = conditions.filter((condition) => condition !== undefined && condition !== false)
  return given.length > 1 ? { $and: given } : given[0]
}

/** Undefined if one of them is: it admits all. */
function anyOf(conditions: readonly (Where | undefined)[]): Where | undefined {
  const given = conditions.filter((condition) => condition !== undefined)
  if (given.length < conditions.length) return undefined
  return given.length > 1 ? { $or: given } : given[0]
}

export const whereOf = (where: Where | undefined): { where?: Where } => (where === undefined ? {} : { where })
