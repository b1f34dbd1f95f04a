/** A vector that is not in memory. What stores it can read it (`log/entry-vectors.ts`). */
import type { RecordOp } from '../model/record.ts'

export interface StoredVector {
  /** Number of values. */
  readonly length: number
  /** The vectors of one object have the same source. */
  readonly source: VectorSource
  /** Bytes from the start of the object. */
  readonly offset: number
  readonly crc32: number
}

export interface VectorSource {
  /** The object. */
  readonly key: string
  /** @throws SiltstoneError `corrupt`, `unavailable`; what stands for an object that is missing */
  read(vectors: readonly StoredVector[]): Promise<Float32Array[]>
}

/** An operation as a process keeps it: its vector may be left where it is stored. */
export type KeptOp = Omit<RecordOp, 'vector'> & { vector: Float32Array | StoredVector | null }

export function isStored(vector: Float32Array | StoredVector | null | undefined): vector is StoredVector {
  return vector !== null && vector !== undefined && !(vector instanceof Float32Array)
}

/** Reads those that are not in memory: the vectors of each object together. */
export async function inMemory(vectors: readonly (Float32Array | StoredVector)[]): Promise<Float32Array[]> {
  if (!vectors.some(isStored)) return vectors as Float32Array[]
  const all = [...vectors]
  const places = new Map<VectorSource, number[]>()
  for (const [i, vector] of vectors.entries())
    if (isStored(vector)) {
      const known = places.get(vector.source)
      if (known) known.push(i)
      else places.set(vector.source, [i])
    }
  for (const [source, some] of places) {
    const read = await source.read(some.map((i) => vectors[i] as StoredVector))
    some.forEach((i, k) => {
      all[i] = read[k] as Float32Array
    })
  }
  return all as Float32Array[]
}
