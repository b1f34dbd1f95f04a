/** Exact nearest neighbours by cosine of unit vectors: what recall is measured against. */
export interface Vectors {
  count: number
  vector(row: number): Float32Array
}

/** @param only rows to rank; default all. @returns per query the rows, best first */
export function exactNeighbours(
  data: Vectors,
  queries: readonly Float32Array[],
  k: number,
  only?: readonly number[],
): number[][] {
  const best = queries.map(() => ({ rows: [] as number[], scores: [] as number[] }))
  const total = only ? only.length : data.count
  for (let i = 0; i < total; i++) {
    const row = only ? (only[i] as number) : i
    const vector = data.vector(row)
    for (let q = 0; q < queries.length; q++) {
      const { rows, scores } = best[q] as { rows: number[]; scores: number[] }
      const score = dot(queries[q] as Float32Array, vector)
      if (rows.length === k && score <= (scores[k - 1] as number)) continue
      let at = rows.length
      while (at > 0 && (scores[at - 1] as number) < score) at--
      rows.splice(at, 0, row)
      scores.splice(at, 0, score)
      if (rows.length > k) {
        rows.pop()
        scores.pop()
      }
    }
  }
  return best.map(({ rows }) => rows)
}

function dot(a: Float32Array, b: Float32Array): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  for (let i = 0; i < a.length; i += 4) {
    s0 += (a[i] as number) * (b[i] as number)
    s1 += (a[i + 1] as number) * (b[i + 1] as number)
    s2 += (a[i + 2] as number) * (b[i + 2] as number)
    s3 += (a[i + 3] as number) * (b[i + 3] as number)
  }
  return s0 + s1 + s2 + s3
}

/** The share of `expected` that was found. */
export function recall(found: readonly string[], expected: readonly string[]): number {
  if (expected.length === 0) return 1
  const wanted = new Set(expected)
  return found.filter((id) => wanted.has(id)).length / expected.length
}
