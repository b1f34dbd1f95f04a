/**
 * Builds the inverted file of a segment while its rows stream by:
 *
 *   sample()* → train() → add()* in any order → the caller writes the rows by cluster → sections()
 *
 * Memory: until the training ends, the sample (one byte per dimension of 40 rows per cluster); after it,
 * 2 · (dimension / 8 + 8) + 16 bytes per row for codes and places, and 20 MB for the calibration.
 */
import { invalid } from '../../errors.ts'
import type { SegmentWriter } from '../../format/segment/writer.ts'
import type { GridCentroids } from '../centroid-grid.ts'
import { type IndexedSpace } from '../directory.ts'
import { rotationSigns } from '../rotation.ts'
import { Assigner, BATCH } from './assign.ts'
import { Calibrator } from './calibrator.ts'
import { Clustering } from './clustering.ts'
import { coarsen } from './coarse.ts'
import { Codes } from './codes.ts'
import { Neighbours } from './neighbours.ts'
import { Points } from './points.ts'
import { drawPseudoQueries, heldOut, holdOut } from './pseudo-queries.ts'
import { ROTATION_SEED, Rotator } from './rotate.ts'
import { NONE, secondCluster } from './second.ts'
import { clustersFor, sampleFor, train } from './train.ts'
import { Work } from './work.ts'
import { writeSections } from './write-sections.ts'

/** Number of nearest clusters among which the second cluster of a row is chosen. */
const SHORTLIST = 24

interface Trained {
  clustering: Clustering
  /** Of a compact form: the same centroids. */
  grid: GridCentroids | undefined
  neighbours: Neighbours
  assigner: Assigner
  /** f32[clusters × dimension] in the kernels' memory. */
  floats: number
  batch: Points
  calibrator: Calibrator
  /** Length that few rows exceed. */
  reach: number
}

export interface IvfForm {
  /** Coarse centroids, compressed, and compact lists. Default false. */
  compact?: boolean
}

/** Share of the rows that may be longer than `reach`. */
const BEYOND_REACH = 0.01

export class IvfBuilder {
  readonly #work: Work
  readonly #rotator: Rotator
  readonly #space: IndexedSpace
  readonly #rows: number
  readonly #isCompact: boolean
  #sample: Points | undefined
  #trained: Trained | undefined
  #added = 0
  readonly #firsts: Uint32Array
  readonly #seconds: Uint32Array
  readonly #primaryCodes: Codes
  readonly #copyCodes: Codes

  /**
   * @param rows exact number of rows that `add` will get
   * @param signal when it is aborted, `train`, `add` and `sections` reject with its reason
   */
  constructor(rows: number, dimension: number, space: IndexedSpace, signal?: AbortSignal, form: IvfForm = {}) {
    this.#isCompact = form.compact ?? false
    this.#work = new Work(signal)
    this.#rows = rows
    this.#space = space
    this.#rotator = new Rotator(this.#work, dimension, space)
    const padded = this.#rotator.dimension
    this.#sample = new Points(this.#work, this.sampleRows, padded)
    this.#firsts = new Uint32Array(rows)
    this.#seconds = new Uint32Array(rows).fill(NONE)
    this.#primaryCodes = new Codes(this.#work, rows, padded, space)
    this.#copyCodes = new Codes(this.#work, rows, padded, space)
  }

  /** Number of rows to train on, taken evenly from all. */
  get sampleRows(): number {
    return Math.min(this.#rows, sampleFor(this.#rows) + heldOut(this.#rows))
  }

  /** Adds to the sample. Vectors beyond `sampleRows` are ignored. */
  sample(vectors: readonly Float32Array[]): void {
    const sample = this.#sample
    if (!sample) throw new Error('sample() was called after train()')
    const wanted = vectors.slice(0, sample.capacity - sample.count)
    for (let start = 0; start < wanted.length; start += BATCH) {
      const part = wanted.slice(start, start + BATCH)
      sample.append(this.#rotator.rotate(part), part.length)
    }
  }

  async train(): Promise<void> {
    const sample = this.#sample
    if (!sample || sample.count === 0) throw new Error('train() was called without a sample')
    const work = this.#work
    const padded = this.#rotator.dimension
    const { held, trained } = holdOut(sample, heldOut(this.#rows))
    const groups = await train(work, { points: sample, members: trained }, clustersFor(this.#rows))
    const grid = this.#isCompact ? coarsen(groups.floats, padded, rotationSigns(ROTATION_SEED, padded)) : undefined
    const clustering = new Clustering(work, groups, padded)
    const assigner = new Assigner(work, clustering, SHORTLIST)
    const [rows, space] = [this.#rows, this.#space]
    const queries = await drawPseudoQueries(work, sample, { clustering, assigner, space, rows, held })
    const calibrator = new Calibrator(work, clustering, space, queries, { rows, sample })
    const reach = reachOf(sample)
    sample.free()
    this.#sample = undefined
    const values = clustering.centroids.values()
    const floats = work.room('centroid-floats', values.length * 4)
    new Float32Array(work.kernels.memory.buffer, floats, values.length).set(values)
    const neighbours = await Neighbours.of(work, clustering)
    const batch = new Points(work, BATCH, padded)
    this.#trained = { clustering, grid, neighbours, assigner, floats, batch, calibrator, reach }
  }

  /** Adds the next rows. @returns the cluster of each */
  async add(vectors: readonly Float32Array[]): Promise<Uint32Array> {
    const first = this.#added
    if (first + vectors.length > this.#rows)
      throw invalid('bad-row', `the index was built for ${this.#rows} rows and got more`)
    for (let start = 0; start < vectors.length; start += BATCH) await this.#add(vectors.slice(start, start + BATCH))
    return this.#firsts.subarray(first, this.#added)
  }

  async #add(vectors: readonly Float32Array[]): Promise<void> {
    const { clustering, neighbours, assigner, floats, batch, calibrator } = this.#ready()
    const stride = this.#rotator.dimension * 4
    batch.count = 0
    batch.append(this.#rotator.rotate(vectors), vectors.length)
    const found = await assigner.nearest({ points: batch, members: Uint32Array.from(vectors, (_, i) => i) })
    const squares = batch.squares()
    // The same room as `rotate` used: its content is unchanged, since no room has grown in the meantime.
    const rotated = this.#work.room('rotated', 0)
    for (let i = 0; i < vectors.length; i++) {
      const row = this.#added++
      const cluster = found.clusters[i * found.length] as number
      const second = secondCluster(found, i, squares[i] as number, clustering.squares, neighbours)
      this.#firsts[row] = cluster
      this.#seconds[row] = second
      this.#primaryCodes.encode(row, rotated + i * stride, floats + cluster * stride)
      if (second !== NONE) this.#copyCodes.encode(row, rotated + i * stride, floats + second * stride)
    }
    const start = this.#added - vectors.length
    await calibrator.observe(batch, start, squares, this.#firsts.subarray(start, this.#added))
  }

  /**
   * Writes the sections after the last row.
   * @param rows the row of each arrival: rows are numbered by cluster
   */
  async sections(writer: SegmentWriter, rows: Uint32Array): Promise<void> {
    const { clustering, grid, calibrator, reach } = this.#ready()
    const { count } = clustering.centroids
    if (this.#added !== this.#rows)
      throw invalid('bad-row', `${this.#added} of ${this.#rows} rows were added to the index`)
    const arrivals = new Uint32Array(this.#rows)
    rows.forEach((row, arrival) => {
      arrivals[row] = arrival
    })
    const primaries = new Uint32Array(count)
    for (const cluster of this.#firsts) primaries[cluster] = (primaries[cluster] as number) + 1
    const errors = this.#primaryCodes.squaredError + this.#copyCodes.squaredError
    await writeSections(writer, this.#work, {
      space: this.#space,
      centroids: clustering.centroids,
      reach,
      grid,
      calibration: await calibrator.finish(this.#firsts, this.#seconds, reach),
      codeError: Math.fround(Math.sqrt(errors / (this.#primaryCodes.count + this.#copyCodes.count))),
      primaries,
      arrivals,
      copies: this.#copiesByCluster(arrivals, count),
      rows,
      primaryCodes: this.#primaryCodes,
      copyCodes: this.#copyCodes,
    })
  }

  #copiesByCluster(arrivals: Uint32Array, clusters: number): Uint32Array[] {
    const counts = new Uint32Array(clusters)
    for (const cluster of this.#seconds) if (cluster !== NONE) counts[cluster] = (counts[cluster] as number) + 1
    const lists = Array.from(counts, (count) => new Uint32Array(count))
    counts.fill(0)
    for (const arrival of arrivals) {
      const cluster = this.#seconds[arrival] as number
      if (cluster === NONE) continue
      const list = lists[cluster] as Uint32Array
      list[counts[cluster] as number] = arrival
      counts[cluster] = (counts[cluster] as number) + 1
    }
    return lists
  }

  #ready(): Trained {
    if (!this.#trained) throw new Error('train() must be called first')
    return this.#trained
  }
}

function reachOf(sample: Points): number {
  const squares = sample.squares().sort()
  const square = squares[Math.floor((1 - BEYOND_REACH) * (squares.length - 1))] as number
  return Number.isFinite(square) ? Math.fround(Math.sqrt(square)) : 0
}
