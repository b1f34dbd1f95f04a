/**
 * Reads the vectors of a Chroma collection from the files that its fork of hnswlib writes (`saveIndex`/`persistDirty`,
 * persistence version 1; Chroma 0.4 to 1.5 write it). All numbers are little-endian.
 *
 * `header.bin`, 100 bytes:
 *
 * | byte | type | content                                | byte | type | content                           |
 * |------|------|----------------------------------------|------|------|-----------------------------------|
 * | 0    | i32  | persistence version, 1                 | 44   | u64  | offset of the vector in an element|
 * | 4    | u64  | offset of level 0                      | 52   | i32  | top level                         |
 * | 12   | u64  | capacity, in elements                  | 56   | u32  | entry point                       |
 * | 20   | u64  | elements in use                        | 60   | u64  | maxM, then maxM0, M               |
 * | 28   | u64  | bytes of an element                    | 84   | f64  | 1 / ln M                          |
 * | 36   | u64  | offset of the label in an element      | 92   | u64  | ef_construction                   |
 *
 * `data_level0.bin` holds the elements. An element is: number of links (u16), flags (u8, 1 = deleted), one unused byte,
 * the links (u32 each), the vector (f32 each), the label (u64).
 *
 * `length.bin` holds one f32 per element: the vector's length before it was normalised. Only the space cosine uses it;
 * for other spaces its content is undefined.
 *
 * `index_metadata.pickle` maps ids to labels. It is missing until the first synchronisation; the other files have no valid
 * content until then. `link_lists.bin`, the graph above level 0, is not needed.
 */
import { join } from 'node:path'
import {
  corrupt,
  isSiltstoneError,
  openRandomAccess,
  type RandomAccessFile,
  readFileBytes,
  type Space,
  unsupported,
} from 'siltstone/internal'
import { type Pickled, PickledObject, readPickle } from './pickle.ts'

const HEADER_BYTES = 100
const BLOCK_BYTES = 1 << 18
const MAX_CACHED_BLOCKS = 256
const DELETED = 1

interface Layout {
  elements: number
  elementBytes: number
  labelOffset: number
  vectorOffset: number
  dimension: number
}

export class HnswFile {
  readonly dimension: number
  /** The last queue entry that the files contain, if the pickle has it (Chroma 0.4 and 0.5). */
  readonly maxSeqId: bigint | null
  /** Why some of the vectors cannot be read: a file is shorter than its header says. The others are good. */
  readonly problem: string | null
  readonly #layout: Layout
  readonly #file: RandomAccessFile
  readonly #readable: number
  readonly #lengths: Float32Array | undefined
  readonly #indexById = new Map<string, number>()
  readonly #blocks = new Map<number, Promise<Buffer>>()

  private constructor(parts: {
    layout: Layout
    file: RandomAccessFile
    lengths: Float32Array | undefined
    maxSeqId: bigint | null
  }) {
    this.#layout = parts.layout
    this.#file = parts.file
    this.#lengths = parts.lengths
    this.dimension = parts.layout.dimension
    this.maxSeqId = parts.maxSeqId
    const { elements, elementBytes } = parts.layout
    const { path, sizeBytes } = parts.file
    const whole = Math.floor(sizeBytes / elementBytes)
    const lengths = parts.lengths?.length ?? elements
    this.#readable = Math.min(elements, whole, lengths)
    this.problem =
      this.#readable === elements
        ? null
        : whole < elements
          ? `${path} has ${sizeBytes} bytes, its ${elements} elements need ${elements * elementBytes}`
          : `length.bin beside ${path} has ${lengths} lengths for ${elements} elements`
  }

  /** Vectors that can be read. */
  get size(): number {
    return this.#indexById.size
  }

  /**
   * @param directory of the vector segment
   * @returns undefined before the first synchronisation
   * @throws SiltstoneError `corrupt` (hnsw-file, bad-pickle), `unsupported` (hnsw-version)
   */
  static async open(directory: string, space: Space): Promise<HnswFile | undefined> {
    const pickle = await optional(join(directory, 'index_metadata.pickle'))
    if (pickle === undefined) return undefined
    const { idToLabel, maxSeqId } = labelsOf(pickle, join(directory, 'index_metadata.pickle'))
    const layout = layoutOf(await readFileBytes(join(directory, 'header.bin')), join(directory, 'header.bin'))
    const lengths = space === 'cosine' ? floats(await readFileBytes(join(directory, 'length.bin'))) : undefined
    const file = await openRandomAccess(join(directory, 'data_level0.bin'))
    const made = new HnswFile({ layout, file, lengths, maxSeqId })
    try {
      await made.#locate(idToLabel)
      return made
    } catch (error) {
      await file.close()
      throw error
    }
  }

  has(id: string): boolean {
    return this.#indexById.has(id)
  }

  /**
   * The vector as it was given to Chroma; in the space cosine, the last digit may differ.
   * @returns a text if it is damaged: what is stored there is not of length 1, or its length is no length
   */
  async vector(id: string): Promise<Float32Array | string | undefined> {
    const index = this.#indexById.get(id)
    if (index === undefined) return undefined
    const { vectorOffset, dimension } = this.#layout
    const { block, at } = await this.#element(index)
    const vector = new Float32Array(dimension)
    for (let i = 0; i < dimension; i++) vector[i] = block.readFloatLE(at + vectorOffset + i * 4)
    const length = this.#lengths?.[index]
    if (length === undefined) return vector
    const problem = lengthProblem(vector, length)
    if (problem !== undefined) return problem
    for (let i = 0; i < dimension; i++) vector[i] = (vector[i] as number) * length
    return vector
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Reads the label of every element. */
  async #locate(idToLabel: ReadonlyMap<number, string>): Promise<void> {
    const { labelOffset } = this.#layout
    for (let index = 0; index < this.#readable; index++) {
      const { block, at } = await this.#element(index)
      if (((block[at + 2] as number) & DELETED) !== 0) continue
      const id = idToLabel.get(Number(block.readBigUInt64LE(at + labelOffset)))
      if (id !== undefined) this.#indexById.set(id, index)
    }
  }

  async #element(index: number): Promise<{ block: Buffer; at: number }> {
    const { elementBytes } = this.#layout
    const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / elementBytes))
    const blockNumber = Math.floor(index / perBlock)
    let block = this.#blocks.get(blockNumber)
    if (block === undefined) {
      const count = Math.min(perBlock, this.#readable - blockNumber * perBlock)
      block = this.#file
        .read(blockNumber * perBlock * elementBytes, count * elementBytes)
        .then((bytes) => Buffer.from(bytes.buffer))
      this.#blocks.set(blockNumber, block)
      const [oldest] = this.#blocks.keys()
      if (this.#blocks.size > MAX_CACHED_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest)
    }
    return { block: await block, at: (index % perBlock) * elementBytes }
  }
}

/** Rounding, of the length that Chroma computed as well. */
const LENGTH_TOLERANCE = 1e-2

function lengthProblem(unit: Float32Array, length: number): string | undefined {
  let sum = 0
  for (const x of unit) sum += x * x
  const stored = Math.sqrt(sum)
  // Chroma stores a vector of zeros as it is.
  if (stored === 0 && length === 0) return undefined
  if (!(Math.abs(stored - 1) <= LENGTH_TOLERANCE))
    return `data_level0.bin holds a vector of the length ${stored} for it instead of 1`
  if (!(length > 0) || !Number.isFinite(length)) return `length.bin says that its vector has the length ${length}`
  return undefined
}

async function optional(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFileBytes(path)
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
}

/** Exported for tests. */
export function layoutOf(bytes: Uint8Array, name: string): Layout {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (header.length < HEADER_BYTES)
    throw corrupt('hnsw-file', `${name} has ${header.length} bytes, not ${HEADER_BYTES}`)
  const version = header.readInt32LE(0)
  if (version !== 1)
    throw unsupported('hnsw-version', `${name} has persistence version ${version}; only version 1 can be read`)
  const u64 = (at: number): number => Number(header.readBigUInt64LE(at))
  const [elements, elementBytes, labelOffset, vectorOffset] = [u64(20), u64(28), u64(36), u64(44)]
  const dimension = (labelOffset - vectorOffset) / 4
  if (!Number.isInteger(dimension) || dimension < 1 || vectorOffset < 4 || elementBytes < labelOffset + 8)
    throw corrupt(
      'hnsw-file',
      `${name} contradicts itself: vectors at ${vectorOffset}, labels at ${labelOffset} of ${elementBytes} bytes`,
    )
  return { elements, elementBytes, labelOffset, vectorOffset, dimension }
}

function labelsOf(bytes: Uint8Array, name: string): { idToLabel: Map<number, string>; maxSeqId: bigint | null } {
  const read = readPickle(bytes, name)
  const state = read instanceof PickledObject ? read.state : read
  const bad = (): Error => corrupt('bad-pickle', `${name} has no id_to_label; it was not written by Chroma`)
  if (!(state instanceof Map)) throw bad()
  const ids = state.get('id_to_label')
  if (!(ids instanceof Map)) throw bad()
  const labels = new Map<number, string>()
  for (const [id, label] of ids) {
    if (typeof id !== 'string' || typeof label !== 'number') throw bad()
    labels.set(label, id)
  }
  return { idToLabel: labels, maxSeqId: integerOf(state.get('max_seq_id')) }
}

function integerOf(value: Pickled | undefined): bigint | null {
  return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : null
}

function floats(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes)
  return new Float32Array(copy.buffer, 0, Math.floor(copy.length / 4))
}
