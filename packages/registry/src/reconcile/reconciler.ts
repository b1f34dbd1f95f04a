/**
 * Compares what the registry says with what is so: sources with what was learned of them, and the index with the artifacts. It reports, and
 * with `apply` makes it right.
 *
 * | what it finds | what `apply` does |
 * |---|---|
 * | a source has another revision, or states another licence | rates it again, from evidence recorded now |
 * | a source has another name now | makes the new address the artifact's source, unless that is registered; then rates again |
 * | an artifact was not rated yet | rates it |
 * | a source does not exist any more, or is private | nothing: whether the artifact stays is not for a program to decide |
 * | a source does not answer | nothing: nothing is known |
 * | the index shows an artifact otherwise than its metadata is | refreshes it |
 *
 * It may run while the registry serves, and several times. Every repair is a change as any other makes it (`store/artifacts.ts`, `rating/ratings.ts`,
 * `search/artifact-index.ts`), so a run that ends anywhere leaves each artifact as it was or as it should be, and the next run goes on. What changes
 * during a run may be reported as it was before.
 */
import { isSiltstoneError } from 'siltstone/internal'
import { licenceText } from '../licences/expression.ts'
import { strictestLicence } from '../rating/facts.ts'
import type { Rated, Ratings } from '../rating/ratings.ts'
import type { ArtifactIndex } from '../search/artifact-index.ts'
import type { Sources } from '../sources/sources.ts'
import type { Artifact } from '../store/artifact.ts'
import type { Artifacts } from '../store/artifacts.ts'

export type ReconcileKind = 'moved' | 'vanished' | 'revision' | 'licence' | 'unrated' | 'unreachable' | 'index'

export interface ReconcileFinding {
  artifact: string
  /** Null: there is no such artifact any more. */
  name: string | null
  kind: ReconcileKind
  text: string
  /** It was made right by this run. */
  isRepaired: boolean
}

export interface ReconcileReport {
  /** Visible ones. */
  artifacts: number
  /** Those whose source was asked. */
  asked: number
  findings: ReconcileFinding[]
}

export interface ReconcileOptions {
  /** Makes right what can be. Default: only reports. */
  apply?: boolean
}

export interface ReconcilerParts {
  artifacts: Artifacts
  index: ArtifactIndex
  ratings: Ratings
  sources: Sources
  /** Ids of all artifacts in the bucket, in any state. */
  ids: () => AsyncIterable<string>
}

const BATCH = 200
/** Services limit their callers, and one that says so is not asked again in this run. */
const ASKED_TOGETHER = 4
const BY = 'registry'

export class Reconciler {
  readonly #parts: ReconcilerParts

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
  }

  async reconcile({ apply = false }: ReconcileOptions = {}): Promise<ReconcileReport> {
    const report: ReconcileReport = { artifacts: 0, asked: 0, findings: [] }
    await this.#sources(report, apply)
    await this.#index(report, apply)
    return report
  }

  async #sources(report: ReconcileReport, apply: boolean): Promise<void> {
    const { ids, artifacts } = this.#parts
    const running = new Set<Promise<void>>()
    for await (const id of ids()) {
      const artifact = await artifacts.find(id)
      if (artifact === undefined) continue
      report.artifacts++
      while (running.size >= ASKED_TOGETHER) await Promise.race(running)
      const work = this.#source(artifact, report, apply).finally(() => running.delete(work))
      running.add(work)
    }
    await Promise.all(running)
  }

  async #source(artifact: Artifact, report: ReconcileReport, apply: boolean): Promise<void> {
    const { sources } = this.#parts
    const { id, name, type, url, facts } = artifact
    if (url === null || !sources.isKnown(url, type)) return
    const find = (kind: ReconcileKind, text: string, isRepaired = false) =>
      void report.findings.push({ artifact: id, name, kind, text, isRepaired })
    report.asked++
    try {
      const now = await sources.look(type, url)
      const source = isSame(now.canonical, url) ? url : now.canonical
      if (source !== url) {
        const refused = apply ? await this.#move(artifact, source) : undefined
        const text = `${url} is ${source} now${refused === undefined ? '' : `: ${refused}`}`
        find('moved', text, apply && refused === undefined)
        if (refused !== undefined) return
      }
      const isStale = facts === null || facts.revision !== now.revision
      if (!isStale && source === url) return
      const rated = await this.#parts.ratings.judge(type, source, name)
      const isKept = apply && (await this.#keep(id, rated))
      if (facts === null) return find('unrated', 'it was not rated yet', isKept)
      if (facts.revision !== now.revision)
        find('revision', `it was rated at revision ${facts.revision}, and the source is at ${now.revision}`, isKept)
      const licence = strictestLicence(rated.evidence)
      const stated = licence === undefined ? null : licenceText(licence)
      if (stated !== facts.licence)
        find(
          'licence',
          `its licence was ${facts.licence ?? 'not stated'}, and is ${stated ?? 'not stated'} now`,
          isKept,
        )
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      if (error.code === 'artifact-not-found') return
      // Failures of the registry's own store end the run.
      if (!SOURCE_FAILED.test(error.code)) throw error
      if (error.code === 'source-not-found') find('vanished', error.message)
      else find('unreachable', error.message)
    }
  }

  /** @returns why not; undefined: done */
  async #move({ id }: Artifact, canonical: string): Promise<string | undefined> {
    try {
      await this.#parts.artifacts.changeSource(id, BY, canonical)
      return undefined
    } catch (error) {
      if (isSiltstoneError(error, 'conflict')) return error.message
      throw error
    }
  }

  /** @returns whether it is what the artifact says now: its source may have been changed in the meantime */
  async #keep(id: string, rated: Rated): Promise<boolean> {
    await this.#parts.ratings.keep(id, rated)
    const { facts } = await this.#parts.artifacts.get(id)
    return facts !== null && facts.revision === rated.evidence.subject.revision
  }

  async #index(report: ReconcileReport, apply: boolean): Promise<void> {
    const { index, ids } = this.#parts
    const strays = await index.ids()
    let batch: string[] = []
    const flush = async () => {
      // What was changed while it was compared is compared again.
      const suspects = batch.length === 0 ? [] : await index.compare(batch)
      const found = suspects.length === 0 ? [] : await index.compare(suspects.map(({ id }) => id))
      batch = []
      for (const { id, text } of found) {
        if (apply) await index.refresh(id)
        const artifact = await this.#parts.artifacts.find(id)
        report.findings.push({ artifact: id, name: artifact?.name ?? null, kind: 'index', text, isRepaired: apply })
      }
    }
    for await (const id of ids()) {
      strays.delete(id)
      batch.push(id)
      if (batch.length >= BATCH) await flush()
    }
    for (const id of strays) {
      batch.push(id)
      if (batch.length >= BATCH) await flush()
    }
    await flush()
  }
}

/** Codes of the errors of sources. */
const SOURCE_FAILED = /^source-/

/** Services compare names without regard to case. */
const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
