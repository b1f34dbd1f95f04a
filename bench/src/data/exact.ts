/**
 * Exact nearest neighbours by cosine of unit vectors, the reference for recall. Computed by numpy if bench:setup has
 * installed it (a minute for 2,000 queries in a million rows), else in this process; kept in bench/.data/sets.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXACT_PROGRAM, PYTHON, SETS } from '../places.ts'
import { type Dataset, queriesFile, vectorsFile } from './dataset.ts'

/** Nearest rows kept for each query. */
const KEPT = 100

/** Rows may be equally near, because many passages are the same text: a row as near as the k-th within this is a hit. */
const TIE = 1e-6

export interface Truth {
  /** The share of the k nearest in `found`; any row as near as the k-th counts. */
  recall(query: number, found: readonly number[], k: number): number
  /** Number of ranked rows. */
  among: number
  /** The row number of the id. */
  rowOf(id: string): number
}

/** @param only the rows to rank, and a name for them; default: all */
export function exactTruth(data: Dataset, only?: { name: string; rows: readonly number[] }): Truth {
  const among = only ? only.rows.length : data.count
  const k = Math.min(KEPT, among)
  const output = join(SETS, `exact-${data.key}-${data.queries.key}${only ? `-${only.name}` : ''}-${among}`)
  if (!existsSync(`${output}.scores`)) compute(data, output, k, only?.rows)
  const scores = new Float32Array(bufferOf(`${output}.scores`))
  const allowed = only && new Set(only.rows)
  return {
    among,
    rowOf: data.row,
    recall: (query, found, wanted) => {
      const expected = Math.min(wanted, among)
      if (expected === 0) return 1
      const bound = (scores[query * k + expected - 1] as number) - TIE
      const vector = data.queries.vector(query)
      const near = (row: number) =>
        row >= 0 && (allowed === undefined || allowed.has(row)) && dot(vector, data.vector(row)) >= bound
      return new Set(found.slice(0, expected).filter(near)).size / expected
    },
  }
}

/** For each row its nearest other rows. Needs numpy, since JavaScript would take an hour. */
export function nearestOfEach(data: Dataset, k: number): Uint32Array {
  const output = join(SETS, `nearest-${data.key}`)
  const path = vectorsFile(data)
  if (!existsSync(`${output}.scores`)) {
    if (!existsSync(PYTHON)) throw new Error('Run npm run bench:setup first: deriving rows needs its numpy, once.')
    run(path, path, output, data.dimension, k)
  }
  return new Uint32Array(bufferOf(`${output}.rows`))
}

function compute(data: Dataset, output: string, k: number, only: readonly number[] | undefined): void {
  if (existsSync(PYTHON)) {
    const more: string[] = []
    if (only) {
      writeFileSync(`${output}.only`, Uint32Array.from(only))
      more.push(`${output}.only`)
    }
    run(vectorsFile(data), queriesFile(data), output, data.dimension, k, ...more)
    return
  }
  const vectors = Array.from({ length: data.queries.count }, (_, index) => data.queries.vector(index))
  const best = exactNeighbours(data, vectors, k, only)
  const scores = best.flatMap((rows, query) => rows.map((row) => dot(vectors[query] as Float32Array, data.vector(row))))
  writeFileSync(`${output}.rows`, Uint32Array.from(best.flat()))
  writeFileSync(`${output}.scores`, Float32Array.from(scores))
}

function run(rows: string, queries: string, output: string, dimension: number, k: number, ...more: string[]): void {
  const args = [EXACT_PROGRAM, rows, queries, output, String(dimension), String(k), ...more]
  execFileSync('nice', ['-n', '10', PYTHON, ...args], { stdio: 'inherit' })
}

function bufferOf(path: string): ArrayBuffer {
  const bytes = readFileSync(path)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

/** @returns per query the rows, best first */
function exactNeighbours(
  data: Dataset,
  queries: readonly Float32Array[],
  k: number,
  only: readonly number[] | undefined,
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

export function dot(a: Float32Array, b: Float32Array): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const whole = a.length - (a.length % 4)
  for (let i = 0; i < whole; i += 4) {
    s0 += (a[i] as number) * (b[i] as number)
    s1 += (a[i + 1] as number) * (b[i + 1] as number)
    s2 += (a[i + 2] as number) * (b[i + 2] as number)
    s3 += (a[i + 3] as number) * (b[i + 3] as number)
  }
  for (let i = whole; i < a.length; i++) s0 += (a[i] as number) * (b[i] as number)
  return s0 + s1 + s2 + s3
}
