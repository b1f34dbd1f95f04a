/** Paths of the benchmarks. */
import { fileURLToPath } from 'node:url'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export const REPOSITORY = at('../..')
export const BENCH = at('..')
/** Git-ignored: data sets, stores, peers. */
export const SCRATCH = at('../.data')
export const SETS = at('../.data/sets')
/** A million short documents, a JSON string per line: src/corpus/main.ts. */
export const PARAGRAPHS = at('../.data/sets/paragraphs.jsonl')
export const STORES = at('../.data/stores')
/** One JSON file for each scenario and size, from which RESULTS.md and the plots are made. */
export const RESULTS = at('../results')
/** A directory with passages.arrow and queries.arrow; undefined: vectors are generated. */
export const DEFAULT_DATA = process.env['SILTSTONE_BENCH_DATA']
export const SILTSTONE_MAIN = at('../../packages/siltstone/src/cli/siltstone.cjs')
export const PYTHON = at('../.data/venv/bin/python')
export const CHROMA = at('../.data/venv/bin/chroma')
export const EXACT_PROGRAM = at('../exact.py')
