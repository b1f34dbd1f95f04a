/**
 * Refuses a Node that is too old. `index.ts` imports this first: a module that needs more of Node would otherwise fail
 * with an error that does not say why. `cli/siltstone.cjs` says the same on the command line.
 */
import { unsupported } from '../errors.ts'

/** The oldest Node that Siltstone runs on. */
export const NEEDED_NODE = '22.16'

/** @param version of Node, or the one that Bun and Deno claim to be: `24.1.0` */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor = 0, neededMinor = 0] = NEEDED_NODE.split('.').map(Number)
  return major < neededMajor || (major === neededMajor && minor < neededMinor)
}

const { node } = process.versions
if (isTooOld(node))
  throw unsupported(
    'node-too-old',
    `Siltstone needs Node.js ${NEEDED_NODE} or newer, this is ${node}: install it from https://nodejs.org.`,
  )
