/** hnswlib by its Node binding: one thread, everything in memory. M 16, efConstruction 200, seed 100. */
import { mkdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { matrixBlocks } from '../data/matrix.ts'
import type { BuildResult, BuildSource, Candidate, CandidateOptions, FilterSpec, Found } from './candidate.ts'

interface Hnsw {
  initIndex(count: number, m: number, efConstruction: number, seed: number): void
  addPoint(point: number[], label: number): void
  setEf(ef: number): void
  searchKnn(query: number[], k: number, filter?: (label: number) => boolean): { neighbors: number[] }
  writeIndexSync(path: string): void
  readIndexSync(path: string): void
}

const DEFAULT_EF = 100

export class HnswlibCandidate implements Candidate {
  readonly #options: CandidateOptions
  #index: Hnsw | undefined

  constructor(options: CandidateOptions) {
    this.#options = options
  }

  get #path(): string {
    return join(this.#options.directory, 'index.bin')
  }

  #fresh(): Hnsw {
    const { HierarchicalNSW } = createRequire(import.meta.url)('hnswlib-node') as {
      HierarchicalNSW: new (space: string, dimension: number) => Hnsw
    }
    // Vectors have length one, so the inner product ranks like the cosine, without the division.
    return new HierarchicalNSW('ip', this.#options.dimension)
  }

  async build({ vectors, count, dimension }: BuildSource): Promise<BuildResult> {
    const index = this.#fresh()
    index.initIndex(count, 16, 200, 100)
    let ms = 0
    for (const { start, rows } of matrixBlocks(vectors, dimension)) {
      const points = rows.map((row) => Array.from(row))
      const startedMs = performance.now()
      points.forEach((point, i) => index.addPoint(point, start + i))
      ms += performance.now() - startedMs
    }
    mkdirSync(this.#options.directory, { recursive: true })
    index.writeIndexSync(this.#path)
    return { seconds: ms / 1000, bytes: statSync(this.#path).size, steps: {} }
  }

  async open(): Promise<void> {
    this.#index = this.#fresh()
    this.#index.readIndexSync(this.#path)
  }

  prepare(vector: Float32Array): number[] {
    return Array.from(vector)
  }

  filter({ rows }: FilterSpec): (label: number) => boolean {
    const admitted = new Uint8Array(this.#options.count)
    for (const row of rows) admitted[row] = 1
    return (label) => admitted[label] === 1
  }

  set(ef = DEFAULT_EF): void {
    this.#index?.setEf(ef)
  }

  search(query: unknown, k: number, filter: unknown): Found {
    const index = this.#index as Hnsw
    const vector = query as number[]
    if (filter === undefined) return index.searchKnn(vector, k).neighbors
    return index.searchKnn(vector, k, filter as (label: number) => boolean).neighbors
  }

  async close(): Promise<void> {}
}
