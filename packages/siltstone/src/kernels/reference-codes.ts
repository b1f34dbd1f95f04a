/**
 * Codes of RaBitQ (Gao & Long, SIGMOD 2024; with two bits per dimension as in Gao et al., SIGMOD 2025): how a vector is encoded, and how a query is compared with many codes by
 * tables of partial sums (André, Kermarrec, Le Scouarnec, VLDB 2015). docs/decisions/0005-ivf-with-rabitq-codes.md has the
 * layout and the formulas.
 */

/** The largest value of a table entry. */
export const TABLE_MAX = 255
const LARGEST_F32 = 3.4028234663852886e38

/** ⟨q, x̄⟩ = params[0] × (sum of the bytes looked up) + params[1] */
export function buildTable(query: Float32Array, table: Uint8Array, params: Float32Array): void {
  const groups = query.length / 4
  const magnitude = (d: number) => Math.abs(query[d] as number)
  let widest = 0
  let total = 0
  for (let d = 0; d < query.length; d += 4) {
    const sum = magnitude(d) + magnitude(d + 1) + magnitude(d + 2) + magnitude(d + 3)
    if (!(sum <= widest)) widest = sum
    total += sum
  }
  // The smallest partial sum of a group is −Σ|q|. Each sign that equals the query's adds 2|q|.
  const step = (2 * widest) / TABLE_MAX
  const factor = step > 0 ? 2 / step : 0
  for (let group = 0; group < groups; group++)
    for (let pattern = 0; pattern < 16; pattern++) {
      let sum = 0
      for (let bit = 0; bit < 4; bit++) {
        const q = query[4 * group + bit] as number
        if (((pattern >> bit) & 1) === (q >= 0 ? 1 : 0)) sum += Math.abs(q)
      }
      table[16 * group + pattern] = Math.min(TABLE_MAX, Math.round(sum * factor))
    }
  params[0] = step / Math.sqrt(query.length)
  params[1] = -total / Math.sqrt(query.length)
}

export interface ScanTerms {
  tableScale: number
  tableOffset: number
  base: number
  error: number
  limit: number
}

export interface ScanHits {
  entries: Uint32Array
  lowers: Float32Array
  uppers: Float32Array
}

export function scanCodes(
  table: Uint8Array,
  terms: ScanTerms,
  packs: Uint8Array,
  entries: number,
  out: ScanHits,
): number {
  const { fround } = Math
  const codeBytes = table.length / 32
  const packBytes = codeBytes * 16 + 128
  const view = new DataView(packs.buffer, packs.byteOffset, packs.byteLength)
  const [tableScale, tableOffset] = [fround(terms.tableScale), fround(terms.tableOffset)]
  const [base, error] = [fround(terms.base), fround(terms.error)]
  // An entry whose `add` is +∞ is never a hit, even while there is no limit.
  const limit = Math.min(fround(terms.limit), LARGEST_F32)
  let hits = 0
  for (let entry = 0; entry < entries; entry++) {
    const pack = Math.floor(entry / 16) * packBytes
    const lane = entry % 16
    let sum = 0
    for (let j = 0; j < codeBytes; j++) {
      const byte = packs[pack + 16 * j + lane] as number
      sum += (table[32 * j + (byte & 15)] as number) + (table[32 * j + 16 + (byte >> 4)] as number)
    }
    const add = view.getFloat32(pack + 16 * codeBytes + 4 * lane, true)
    const scale = view.getFloat32(pack + 16 * codeBytes + 64 + 4 * lane, true)
    const dot = fround(fround(tableScale * sum) + tableOffset)
    const estimate = fround(fround(base + add) + fround(scale * dot))
    const margin = fround(scale * error)
    const lower = fround(estimate + margin)
    if (!(lower <= limit)) continue
    out.entries[hits] = entry
    out.lowers[hits] = lower
    out.uppers[hits] = fround(estimate - margin)
    hits++
  }
  return hits
}

/** `factors`: |r|, α, ⟨c, x̄⟩, ⟨c, r⟩ of the residual r = x − c. Where r = 0 the bits are 0 and α is 1. */
export function encode(vector: Float32Array, centroid: Float32Array, code: Uint8Array, factors: Float32Array): void {
  const dimension = vector.length
  let squared = 0
  let absolute = 0
  let centroidSigned = 0
  let centroidResidual = 0
  code.fill(0)
  for (let d = 0; d < dimension; d++) {
    const c = centroid[d] as number
    const r = Math.fround((vector[d] as number) - c)
    squared += r * r
    absolute += Math.abs(r)
    centroidResidual += c * r
    centroidSigned += r >= 0 ? c : -c
    if (r >= 0) code[d >> 3] = (code[d >> 3] as number) | (1 << (d & 7))
  }
  if (squared === 0) {
    code.fill(0)
    centroidSigned = -centroid.reduce((sum, c) => sum + c, 0)
  }
  const norm = Math.sqrt(squared)
  factors[0] = norm
  factors[1] = squared === 0 ? 1 : absolute / (norm * Math.sqrt(dimension))
  factors[2] = centroidSigned / Math.sqrt(dimension)
  factors[3] = centroidResidual
}

/** Thresholds between the two magnitudes of a 2-bit code, as multiples of the mean magnitude of the residual. */
const THRESHOLDS = [1.22, 1, 1.45]

/**
 * `code`: the signs of weight 1, then those of weight ½. `factors`, x̄ being the code's values ÷ √(2 × dimension): |r|,
 * ⟨x̄, r⟩/|r|, ⟨c, x̄⟩, ⟨c, r⟩, |x̄|² − (⟨x̄, r⟩/|r|)². Where r = 0 the bits are 0, the second factor is 1 and the last 0.
 */
export function encode2(vector: Float32Array, centroid: Float32Array, code: Uint8Array, factors: Float32Array): void {
  const dimension = vector.length
  const residual = vector.map((x, d) => x - (centroid[d] as number))
  const squared = residual.reduce((sum, r) => sum + r * r, 0)
  const absolute = residual.reduce((sum, r) => sum + Math.abs(r), 0)
  let best = { threshold: 0, along: 0, square: 1 }
  for (const multiple of THRESHOLDS) {
    const threshold = (absolute / dimension) * multiple
    const large = residual.filter((r) => Math.abs(r) > threshold)
    const along = 0.5 * absolute + large.reduce((sum, r) => sum + Math.abs(r), 0)
    const square = 0.25 * dimension + 2 * large.length
    if (best.along === 0 || along ** 2 / square > best.along ** 2 / best.square) best = { threshold, along, square }
  }
  code.fill(0)
  let centroidCode = 0
  residual.forEach((r, d) => {
    const isSet = squared > 0 && r >= 0
    const isSecond = squared > 0 && isSet === Math.abs(r) > best.threshold
    const at = d >> 3
    if (isSet) code[at] = (code[at] as number) | (1 << (d & 7))
    if (isSecond) code[at + dimension / 8] = (code[at + dimension / 8] as number) | (1 << (d & 7))
    centroidCode += (centroid[d] as number) * ((isSet ? 1 : -1) + (isSecond ? 0.5 : -0.5))
  })
  const length = Math.sqrt(2 * dimension)
  const norm = Math.sqrt(squared)
  const along = squared > 0 ? best.along / (norm * length) : 1
  factors.set([
    norm,
    along,
    centroidCode / length,
    residual.reduce((sum, r, d) => sum + r * (centroid[d] as number), 0),
    squared > 0 ? Math.max(0, best.square / (2 * dimension) - along * along) : 0,
  ])
}
