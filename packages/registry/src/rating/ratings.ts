/**
 * Ratings of artifacts: records evidence, computes, stores, and answers what is stored.
 *
 * Evidence and rating are objects under the digest of the evidence, written once. The artifact's metadata names the latest digest, and
 * keeps what lists and search need (`facts.ts`). However many processes are asked for a rating that is not stored, one computes it and
 * the others wait (`flight.ts`).
 *
 * A model's `tree_score` needs the ratings of its parents, which are computed first if they are registered. Where two ratings would
 * wait for each other, the parent counts as unrated.
 *
 * ## Failure cases
 * A process that ends before the metadata is changed leaves objects that nothing names, and the artifact unrated: the next request for
 * its rating computes it. A source that does not answer: the error goes to the one who asked, and the artifact stays unrated.
 */
import { type Clock, isSiltstoneError, notFound } from 'siltstone/internal'
import { type ArtifactType, type Evidence, evidenceDigest } from '../evidence/evidence.ts'
import { METRICS_VERSION, rate, type Rating } from '../metrics/rating.ts'
import type { Sources } from '../sources/sources.ts'
import type { UploadedFiles } from '../sources/upload-source.ts'
import type { Artifact } from '../store/artifact.ts'
import type { Artifacts } from '../store/artifacts.ts'
import type { DocumentKind, Documents, Envelope } from '../store/documents.ts'
import { evidenceKey, ratingKey } from '../store/keys.ts'
import { factsOf, readmeFacts } from './facts.ts'
import type { Flight } from './flight.ts'

export interface RatingsOptions {
  artifacts: Artifacts
  documents: Documents
  flight: Flight
  sources: Sources
  /** The files of an artifact that were uploaded to the registry; undefined: it has none. */
  uploads: (artifact: Artifact) => Promise<UploadedFiles | undefined>
  clock: Clock
}

export interface Rated {
  rating: Rating
  evidence: Evidence
}

interface EvidenceDocument extends Envelope {
  evidence: Evidence
}
interface RatingDocument extends Envelope {
  rating: Rating
}

const evidenceKind: DocumentKind<EvidenceDocument> = {
  format: 'registry-evidence',
  v: 1,
  wrongField: ({ evidence }) => (typeof evidence === 'object' && evidence !== null ? undefined : 'evidence'),
}
const ratingKind: DocumentKind<RatingDocument> = {
  format: 'registry-rating',
  v: 1,
  wrongField: ({ rating }) => (typeof rating?.netScore === 'object' ? undefined : 'rating'),
}

/** In the audit, what the registry does by itself. */
const SYSTEM = 'registry'

export class Ratings {
  readonly #options: RatingsOptions
  /** Of this process. */
  readonly #running = new Map<string, Promise<Rated>>()

  constructor(options: RatingsOptions) {
    this.#options = options
  }

  /** What is stored about the artifact's present contents; undefined: nothing. */
  async stored(artifact: Artifact): Promise<Rated | undefined> {
    const { facts, id } = artifact
    if (facts === null) return undefined
    const { documents, uploads, clock } = this.#options
    const uploaded = artifact.url === null ? await uploads(artifact) : undefined
    if (uploaded !== undefined && uploaded.revision !== facts.revision) return undefined
    const [evidence, rating] = await Promise.all([
      documents.read(evidenceKey(id, facts.evidence), evidenceKind),
      documents.read(ratingKey(id, facts.evidence, METRICS_VERSION), ratingKind),
    ])
    if (evidence === undefined) return undefined
    if (rating !== undefined) return { evidence: evidence.document.evidence, rating: rating.document.rating }
    // The metrics have changed since: they are pure functions of the evidence that is there.
    const again = rate(evidence.document.evidence, { monotonicMs: () => clock.monotonicMs() })
    return await this.#store(artifact.id, evidence.document.evidence, again)
  }

  /**
   * The rating of an artifact, computed if it is not stored. Several requests at the same time wait for one computation.
   * @throws SiltstoneError of the source: `not-found`, `unavailable`, …; `not-found` (nothing-to-rate): neither source nor files
   */
  async of(id: string): Promise<Rated> {
    const artifact = await this.#options.artifacts.get(id)
    return (await this.stored(artifact)) ?? (await this.#once(artifact, true))
  }

  /** As `of`, with evidence that is recorded from now on, or by a computation that is running. */
  refresh(artifact: Artifact): Promise<Rated> {
    return this.#once(artifact, false)
  }

  /** @param takesStored whether what another process has stored since is as good */
  #once(artifact: Artifact, takesStored: boolean): Promise<Rated> {
    const { id } = artifact
    const running = this.#running.get(id)
    if (running !== undefined) return running
    const made = this.#alone(artifact, takesStored).finally(() => this.#running.delete(id))
    this.#running.set(id, made)
    return made
  }

  async #alone(artifact: Artifact, takesStored: boolean): Promise<Rated> {
    const { artifacts, flight, uploads } = this.#options
    const { id } = artifact
    const subject = artifact.url ?? (await uploads(artifact))?.revision ?? ''
    return flight.run(
      id,
      subject,
      async (hasWaited) => (takesStored || hasWaited ? this.stored(await artifacts.get(id)) : undefined),
      () => this.#compute(artifact),
    )
  }

  /** Rates a source that is not registered. Nothing is stored. */
  async judge(type: ArtifactType, url: string, name?: string): Promise<Rated> {
    const evidence = await this.#options.sources.record({ type, url, name }, (parent) => this.#netScoreOf('', parent))
    return { evidence, rating: rate(evidence, { monotonicMs: () => this.#options.clock.monotonicMs() }) }
  }

  /** Keeps a rating as that of an artifact. */
  async keep(id: string, { evidence, rating }: Rated): Promise<Rated> {
    return this.#store(id, evidence, rating)
  }

  async #compute(artifact: Artifact): Promise<Rated> {
    const { sources, uploads, clock } = this.#options
    const netScoreOf = (url: string) => this.#netScoreOf(artifact.id, url)
    const { type, name, url, repository } = artifact
    const files = url === null ? await uploads(artifact) : undefined
    if (url === null && files === undefined) {
      throw notFound('nothing-to-rate', `artifact ${artifact.id} has neither a source nor files: upload some`)
    }
    const evidence =
      files === undefined
        ? await sources.record({ type, url: url ?? '', name }, netScoreOf)
        : await sources.recordUpload({ type, name, repository }, files, netScoreOf)
    return await this.#store(artifact.id, evidence, rate(evidence, { monotonicMs: () => clock.monotonicMs() }))
  }

  async #store(id: string, evidence: Evidence, rating: Rating): Promise<Rated> {
    const { artifacts, documents, sources, clock } = this.#options
    const digest = evidenceDigest(evidence)
    const envelope = { format: '', v: 0, writes: [] }
    await documents.write(evidenceKey(id, digest), evidenceKind, { evidence, siltstone: envelope }, null)
    const key = ratingKey(id, digest, rating.metricsVersion)
    const written = await documents.write(key, ratingKind, { rating, siltstone: envelope }, null)
    const kept = written.status === 'lost' && written.current !== undefined ? written.current.document.rating : rating
    const facts = factsOf({
      evidence,
      digest,
      netScore: kept.netScore.value,
      at: new Date(clock.nowMs()).toISOString(),
      sources,
    })
    await artifacts.change(id, SYSTEM, null, (current) => {
      // The source has changed: what was learned describes something else.
      if (current.data.url !== undefined && current.data.url !== evidence.subject.url) return undefined
      const data = { ...current.data, hf_data: [readmeFacts(evidence)] as const }
      return { ...current, data, siltstone: { ...current.siltstone, facts } }
    })
    return { evidence, rating: kept }
  }

  /** Null: the parent is not registered, cannot be rated, or waits for this rating itself. */
  async #netScoreOf(child: string, url: string): Promise<number | null> {
    const parent = await this.#options.artifacts.findBySource('model', url)
    if (parent === undefined || parent.id === child) return null
    try {
      const stored = await this.stored(parent)
      if (stored !== undefined) return stored.rating.netScore.value
      if (child !== '' && !(await this.#options.flight.mayWait(child, parent.id))) return null
      return (await this.of(parent.id)).rating.netScore.value
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      return null
    }
  }
}
