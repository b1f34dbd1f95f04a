/**
 * The arithmetic of the index over one flat memory. There are two implementations: WebAssembly SIMD (`wasm/`), and plain
 * TypeScript (`reference-kernels.ts`), against which the first is tested. All pointers are byte offsets into `memory`,
 * aligned to 16; dimensions are padded to multiples of 64. Functions take plain numbers, however many, because that is
 * what a WebAssembly function can take. docs/decisions/0005-ivf-with-rabitq-codes.md has the formulas.
 */
export interface KernelMemory {
  /** Replaced when the memory grows: do not keep it, or a view of it, across `allocate`. */
  readonly buffer: ArrayBuffer
  /** @returns pointer, aligned to 16; contents undefined. @throws SiltstoneError `unavailable` (`out-of-memory`) */
  allocate(sizeBytes: number): number
  free(pointer: number): void
}

export interface VectorKernels {
  readonly kind: 'wasm-relaxed-simd' | 'wasm-simd' | 'typescript'
  readonly memory: KernelMemory

  /**
   * Rotates `count` vectors f32[dimension] in place. `signs`: u8[3 × dimension / 8], 1 = change the sign;
   * `scratch`: f32[dimension].
   */
  rotate(vectors: number, count: number, dimension: number, signs: number, scratch: number): void

  /** `out` i16[dimension] = round(x × factor), saturated. */
  quantizeI16(x: number, dimension: number, factor: number, out: number): void

  /** `out` i8[dimension] = round(x × 127 / max|x|). @returns max|x| / 127, the scale that restores it; 0 for a zero vector */
  quantizeI8(x: number, dimension: number, out: number): number

  /** `out` i32[count]: dot products of one i16[dimension] with `count` i8[dimension] that lie one after another. */
  dotI8(query: number, rows: number, count: number, dimension: number, out: number): void

  /**
   * `out` i32[queries × count], query by query: dot products of many i8 rows with many i8 rows, exact in 32 bits.
   */
  dotI8Many(queryRows: number, queries: number, rows: number, count: number, dimension: number, out: number): void

  /** Adds `scale` × i8[dimension] to `sums` f64[dimension], in doubles. */
  addScaledI8(row: number, scale: number, dimension: number, sums: number): void

  /**
   * Of the distances `offsets`[i] − `factor` × `scales`[i] × `dots`[i] (i32 dots, f32 scales and offsets; multiplied from left to
   * right, in doubles), those below `limit`: writes each such i to `out` u32[count], ascending. @returns how many
   */
  selectBelow(
    dots: number,
    scales: number,
    offsets: number,
    count: number,
    factor: number,
    limit: number,
    out: number,
  ): number

  /** `out` f32[count]: dot products of f32[dimension] with rows f32 that begin every `strideBytes`; any dimension. */
  dotF32(query: number, rows: number, count: number, strideBytes: number, dimension: number, out: number): void

  /** `out` f32[count]: squared Euclidean distances of the same arguments. */
  squaredDistancesF32(
    query: number,
    rows: number,
    count: number,
    strideBytes: number,
    dimension: number,
    out: number,
  ): void

  /**
   * The tables of a rotated query for `scanCodes`. For each group of 4 dimensions and each of its 16 sign patterns the
   * quantised partial sum: `table` u8[dimension / 4 × 16]; `params` f32[2]: ⟨q, x̄⟩ = params[0] × (sum of looked-up
   * bytes) + params[1].
   */
  buildTable(query: number, dimension: number, table: number, params: number): void

  /**
   * Estimates all entries of one list. For entry i with t = tableScale × sum + tableOffset:
   * estimate = base + add + scale × t, lower = estimate + scale × error (scale ≤ 0), upper = estimate − scale × error.
   * Writes entries with lower ≤ `limit`, in ascending order: `outEntries` u32, `outLowers` f32, `outUppers` f32, each
   * with room for `entries` rounded up to 16. @returns number of entries written
   */
  scanCodes(
    table: number,
    dimension: number,
    tableScale: number,
    tableOffset: number,
    packs: number,
    entries: number,
    base: number,
    error: number,
    limit: number,
    outEntries: number,
    outLowers: number,
    outUppers: number,
  ): number

  /**
   * RaBitQ code of one rotated vector f32[dimension] against a centroid f32[dimension]: `code` u8[dimension / 8], `factors`
   * f32[4]: |r|, α, ⟨c, x̄⟩, ⟨c, r⟩ (α = 1 and x̄ of sign bits 0 where r = 0).
   */
  encode(vector: number, centroid: number, dimension: number, code: number, factors: number): void

  /**
   * The same with two bits per dimension, whose values are ±½ and ±1½: `code` u8[dimension / 4], the signs of weight 1 of all
   * dimensions, then those of weight ½. So it is compared as a code of twice as many dimensions with the query [q, q / 2].
   * `factors` f32[5], x̄ being the values ÷ √(2 × dimension): |r|, ⟨x̄, r⟩/|r|, ⟨c, x̄⟩, ⟨c, r⟩, |x̄|² − (⟨x̄, r⟩/|r|)².
   */
  encode2(vector: number, centroid: number, dimension: number, code: number, factors: number): void
}
