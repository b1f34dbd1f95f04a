/** Siltstone's engine on a directory, in this process, with strong reads: each query also looks for new entries. */
import { type Collection, type Filter, parseWhere, type QueryRequest } from 'siltstone/internal'
import { openPlainEngine } from '../inprocess/open.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import type { BuildResult, Candidate, CandidateOptions, FilterSpec, Found } from './candidate.ts'

export class SiltstoneCandidate implements Candidate {
  readonly #options: CandidateOptions
  #collection: Collection | undefined
  #close: (() => Promise<void>) | undefined
  #search: QueryRequest['search']

  constructor(options: CandidateOptions) {
    this.#options = options
  }

  /** Its store is written through the engine and compacted by a separate process: see inprocess/store.ts. */
  build(): Promise<BuildResult> {
    return Promise.reject(new Error('the store is built by the compaction scenario'))
  }

  async open(): Promise<void> {
    const { use, close } = await openPlainEngine(this.#options.directory)
    this.#close = close
    this.#collection = (await use(COLLECTION)).collection
  }

  prepare(vector: Float32Array): Float32Array {
    return vector
  }

  filter({ where }: FilterSpec): Filter {
    return parseWhere(where)
  }

  /** @param perMille recall to ask for, in thousandths; 0 measures every record */
  set(perMille?: number): void {
    this.#search = perMille === undefined ? undefined : perMille === 0 ? { exact: true } : { recall: perMille / 1_000 }
  }

  async search(query: unknown, k: number, filter: unknown): Promise<Found> {
    const { hits } = await (this.#collection as Collection).query({
      vectors: [query as Float32Array],
      k,
      include: this.#options.include,
      ...(filter !== undefined && { filter: filter as Filter }),
      ...(this.#search && { search: this.#search }),
    })
    return hits[0]?.ids ?? []
  }

  async close(): Promise<void> {
    await this.#close?.()
  }
}
