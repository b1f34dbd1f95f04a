/** Where things are. */
import { fileURLToPath } from 'node:url'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export const REPOSITORY = at('../..')
/** Git-ignored: stores, peers, results. */
export const SCRATCH = at('../.data')
export const DEFAULT_DATA = at('../../../shared/data')
export const SILTSTONE_MAIN = at('../../packages/siltstone/src/cli/main.ts')
export const PYTHON = at('../.data/venv/bin/python')
export const CHROMA = at('../.data/venv/bin/chroma')
export const NEIGHBOURS_PROGRAM = at('../neighbours.py')
