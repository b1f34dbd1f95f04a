/** usearch by its own Node binding: one thread, f32, connectivity 16, expansion while adding 200. */
import { mkdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { matrixBlocks } from '../data/matrix.ts'
import type { BuildResult, BuildSource, Candidate, CandidateOptions, Found } from './candidate.ts'

interface Usearch {
  add(keys: BigUint64Array, vectors: Float32Array[], threads: number): void
  search(vector: Float32Array, k: number, threads: number): { keys: BigUint64Array }
  save(path: string): void
  load(path: string): void
}

const DEFAULT_EXPANSION = 64

export class UsearchCandidate implements Candidate {
  readonly #options: CandidateOptions
  #index: Usearch | undefined
  #expansion: number | undefined

  constructor(options: CandidateOptions) {
    this.#options = options
  }

  get #path(): string {
    return join(this.#options.directory, 'index.usearch')
  }

  #fresh(expansionSearch: number): Usearch {
    const { Index } = createRequire(import.meta.url)('usearch') as { Index: new (config: object) => Usearch }
    return new Index({
      dimensions: this.#options.dimension,
      metric: 'ip',
      quantization: 'f32',
      connectivity: 16,
      expansion_add: 200,
      expansion_search: expansionSearch,
      multi: false,
    })
  }

  async build({ vectors, dimension }: BuildSource): Promise<BuildResult> {
    const index = this.#fresh(DEFAULT_EXPANSION)
    let ms = 0
    for (const { start, rows } of matrixBlocks(vectors, dimension)) {
      const keys = BigUint64Array.from(rows, (_, i) => BigInt(start + i))
      const startedMs = performance.now()
      index.add(keys, rows, 1)
      ms += performance.now() - startedMs
    }
    mkdirSync(this.#options.directory, { recursive: true })
    index.save(this.#path)
    return { seconds: ms / 1000, bytes: statSync(this.#path).size, steps: {} }
  }

  async open(): Promise<void> {
    this.set(DEFAULT_EXPANSION)
  }

  prepare(vector: Float32Array): Float32Array {
    return vector
  }

  /** The binding fixes the expansion when it creates an index, so the index is loaded again. */
  set(expansion = DEFAULT_EXPANSION): void {
    if (expansion === this.#expansion) return
    this.#index = undefined
    globalThis.gc?.()
    this.#index = this.#fresh(expansion)
    this.#index.load(this.#path)
    this.#expansion = expansion
  }

  search(query: unknown, k: number): Found {
    const { keys } = (this.#index as Usearch).search(query as Float32Array, k, 1)
    return Array.from(keys, Number)
  }

  async close(): Promise<void> {}
}
