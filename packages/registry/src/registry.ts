/** The parts of a registry over one object store, put together. */
import type { Store } from 'siltstone'
import { type Clock, forbidden, type Ids, isSiltstoneError, type Logger, type ObjectStore } from 'siltstone/internal'
import type { ArtifactType } from './evidence/evidence.ts'
import { Collector } from './gc/collector.ts'
import { Expiry } from './gc/expiry.ts'
import { runUpkeep } from './gc/upkeep.ts'
import { Lineage } from './lineage/lineage.ts'
import type { MetricName } from './metrics/measurement.ts'
import type { Rating } from './metrics/rating.ts'
import { Flight } from './rating/flight.ts'
import { Ratings } from './rating/ratings.ts'
import { Reconciler } from './reconcile/reconciler.ts'
import { ArtifactIndex } from './search/artifact-index.ts'
import type { Sources } from './sources/sources.ts'
import type { UploadedFiles } from './sources/upload-source.ts'
import type { Quota } from './accounts/account-documents.ts'
import { countUsage } from './quota/count.ts'
import { Quotas } from './quota/quotas.ts'
import type { Usage } from './quota/usage.ts'
import type { Artifact, RegisterRequest } from './store/artifact.ts'
import { Artifacts } from './store/artifacts.ts'
import { Blobs } from './store/blobs.ts'
import { BlobUploads } from './store/blob-uploads.ts'
import { Commits } from './store/commits.ts'
import { Documents } from './store/documents.ts'
import { artifactOfPrefix, ARTIFACTS_PREFIX } from './store/keys.ts'
import { type RegistryReport, verifyRegistry } from './store/verify.ts'
import { ChunkedFiles } from './xet/chunked-files.ts'
import { SharedChunks } from './xet/shared-chunks.ts'
import { Xorbs } from './xet/xorbs.ts'

/** The least values that a model needs to be registered. */
export type Gate = Readonly<Partial<Record<MetricName | 'net_score', number>>>

export interface RegistryOptions {
  store: ObjectStore
  /** Where the index is kept: a store in the same place, or another. */
  index: Store
  clock: Clock
  ids: Ids
  log: Logger
  sources: Sources
  gate?: Gate | undefined
  /** Large files are read from the bucket itself by links that it signs, where it can. Default: through this process. */
  directDownloads?: boolean
  /** Large files are sent to the bucket itself by links that it signs, where it can. Default: through this process. */
  directUploads?: boolean
  /** Of accounts without one of their own. Default: none. */
  quota?: Quota | undefined
  /** When to forget old versions and to delete contents that no version names. Default: never by itself. */
  upkeep?: { everyMs: number; keepMs?: number | undefined } | undefined
}

const DELETED_TOGETHER = 16

export class Registry {
  readonly store: ObjectStore
  readonly documents: Documents
  readonly xorbs: Xorbs
  readonly chunkedFiles: ChunkedFiles
  readonly sharedChunks: SharedChunks
  readonly blobs: Blobs
  /** Undefined: all contents come through this process. */
  readonly blobUploads: BlobUploads | undefined
  readonly commits: Commits
  readonly artifacts: Artifacts
  readonly index: ArtifactIndex
  readonly ratings: Ratings
  readonly lineage: Lineage
  readonly collector: Collector
  readonly expiry: Expiry
  readonly reconciler: Reconciler
  readonly sources: Sources
  readonly quotas: Quotas
  readonly #options: RegistryOptions
  readonly #background = new Set<Promise<void>>()

  constructor(options: RegistryOptions) {
    const { store, clock, sources } = options
    this.#options = options
    this.store = store
    this.sources = sources
    this.documents = new Documents(options)
    this.xorbs = new Xorbs(store)
    this.chunkedFiles = new ChunkedFiles({ store, documents: this.documents, xorbs: this.xorbs })
    this.blobs = new Blobs(store, { direct: options.directDownloads === true, chunkedFiles: this.chunkedFiles })
    const direct = options.directUploads === true ? store.direct : undefined
    this.blobUploads = direct && new BlobUploads({ ...options, direct, blobs: this.blobs })
    this.artifacts = new Artifacts({ ...options, onChange: (id) => this.index.refresh(id) })
    this.sharedChunks = new SharedChunks({
      store,
      artifacts: this.artifacts,
      xorbs: this.xorbs,
      files: this.chunkedFiles,
    })
    this.commits = new Commits({
      documents: this.documents,
      blobs: this.blobs,
      clock,
      onChunked: (id, file) => this.sharedChunks.addUses(id, file),
    })
    this.index = new ArtifactIndex({
      store: options.index,
      read: (id) => this.artifacts.document(id),
      ids: () => this.#ids(),
    })
    this.collector = new Collector({ ...options, documents: this.documents })
    this.expiry = new Expiry({
      ...options,
      documents: this.documents,
      onForgotten: async (id) => {
        const owner = (await this.artifacts.document(id))?.created_by
        if (owner !== undefined) await this.quotas.freed(owner)
      },
    })
    this.quotas = new Quotas({
      ...options,
      documents: this.documents,
      standard: options.quota,
      count: (user) => this.usageOf(user),
    })
    this.lineage = new Lineage(this.artifacts, this.index, sources)
    this.ratings = new Ratings({
      artifacts: this.artifacts,
      documents: this.documents,
      flight: new Flight({ ...options, documents: this.documents }),
      sources,
      clock,
      uploads: (artifact) => this.uploads(artifact),
    })
    const { artifacts, index, ratings } = this
    this.reconciler = new Reconciler({ artifacts, index, ratings, sources, ids: () => this.#ids() })
  }

  /**
   * Registers a source. With a gate, a model is rated first, and one that fails leaves nothing behind; else it is rated
   * afterwards, in the background.
   * @throws SiltstoneError as `Sources.parse` and `add`; `forbidden` (rating-too-low); with a gate, those of the source
   */
  async register(request: {
    type: ArtifactType
    url: string
    name?: string | undefined
    by: string
  }): Promise<Artifact> {
    const { type, by } = request
    const { canonical, name } = this.sources.parse(request.url, type)
    const wanted = { type, name: request.name ?? name, url: canonical, by }
    const { gate } = this.#options
    if (gate === undefined || type !== 'model') {
      const artifact = await this.add(wanted)
      this.rateLater(artifact)
      return artifact
    }
    const rated = await this.ratings.judge(type, canonical, wanted.name)
    const failed = failures(rated.rating, gate)
    if (failed.length > 0) throw forbidden('rating-too-low', `the model was not registered: ${failed.join(', ')}`)
    const { id } = await this.add(wanted)
    await this.ratings.keep(id, rated)
    return this.artifacts.get(id)
  }

  /** Within the quota of its owner. @throws SiltstoneError as `Artifacts.register`; `forbidden` (quota-artifacts) */
  add(request: RegisterRequest): Promise<Artifact> {
    return this.quotas.adding(request.by, { artifacts: 1, bytes: 0 }, () => this.artifacts.register(request))
  }

  /** @throws SiltstoneError `not-found` (artifact-not-found) */
  async delete({ id, createdBy }: Artifact, by: string): Promise<void> {
    await this.artifacts.delete(id, by)
    await this.quotas.freed(createdBy)
  }

  usageOf(user: string): Promise<Usage> {
    return countUsage(this.index, this.commits, user)
  }

  /**
   * Rates in the background: what fails is logged, and the next request for the rating tries again.
   * @param again although there is a rating
   */
  rateLater(artifact: Artifact, again = false): void {
    const rated = again ? this.ratings.refresh(artifact) : this.ratings.of(artifact.id)
    const work = rated.then(
      () => undefined,
      (error: unknown) => {
        const { log } = this.#options
        if (isSiltstoneError(error))
          log.info('rating_failed', { artifact: artifact.id, code: error.code, reason: error.message })
        else log.error('rating_failed', { artifact: artifact.id, error })
      },
    )
    this.#background.add(work)
    void work.then(() => this.#background.delete(work))
  }

  /** The files of `main` that were uploaded; undefined: there are none. */
  async uploads({ id }: Artifact): Promise<UploadedFiles | undefined> {
    const commit = await this.commits.resolve(id, 'HEAD').catch((error: unknown) => {
      if (isSiltstoneError(error, 'not-found')) return undefined
      throw error
    })
    if (commit === undefined) return undefined
    return {
      revision: commit.oid,
      files: Object.entries(commit.files).map(([path, { sha256, sizeBytes }]) => ({ path, sizeBytes, sha256 })),
      read: async (path) => {
        const file = commit.files[path]
        return file === undefined ? undefined : this.blobs.get(file.sha256)
      },
    }
  }

  /** Deletes all artifacts. Their audit and their files stay. */
  async deleteAll(by: string): Promise<void> {
    let batch: Promise<void>[] = []
    for await (const id of this.#ids()) {
      batch.push(this.#deleteIfThere(id, by))
      if (batch.length < DELETED_TOGETHER) continue
      await Promise.all(batch)
      batch = []
    }
    await Promise.all(batch)
  }

  async #deleteIfThere(id: string, by: string): Promise<void> {
    try {
      await this.delete(await this.artifacts.get(id), by)
    } catch (error) {
      if (!isSiltstoneError(error, 'not-found')) throw error
    }
  }

  /** Upkeep, if its time has come. @returns whether it has run */
  async upkeep(): Promise<boolean> {
    const { upkeep } = this.#options
    if (upkeep === undefined) return false
    const { documents, collector, expiry } = this
    return runUpkeep({ ...this.#options, ...upkeep, documents, collector, expiry })
  }

  /** @param ids of the artifacts to read. Default: all */
  verify(ids?: Iterable<string>): Promise<RegistryReport> {
    return verifyRegistry(this, ids)
  }

  /** Waits for work in the background. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background)
  }

  async *#ids(): AsyncGenerator<string> {
    for (let continuation: string | undefined, isFirst = true; isFirst || continuation !== undefined; isFirst = false) {
      const options = { delimiter: '/' as const, ...(continuation !== undefined && { continuation }) }
      const page = await this.store.list(ARTIFACTS_PREFIX, options)
      continuation = page.continuation
      for (const prefix of page.prefixes) {
        const id = artifactOfPrefix(prefix)
        if (id !== undefined) yield id
      }
    }
  }
}

function failures({ metrics, netScore }: Rating, gate: Gate): string[] {
  return Object.entries(gate).flatMap(([name, least]) => {
    const { value } = name === 'net_score' ? netScore : metrics[name as MetricName]
    return value < least ? [`${name} is ${value.toFixed(2)}, at least ${least} is needed`] : []
  })
}
