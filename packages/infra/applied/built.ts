import { fileURLToPath } from 'node:url'

/** The folder of the built functions. */
export const BUILT =
  process.env['SILTSTONE_FUNCTIONS'] ?? fileURLToPath(new URL('../../functions/dist', import.meta.url))
