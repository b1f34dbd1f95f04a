/** `#regex` where the size of a program does not matter: see `engine-lazy.ts`. */
import * as engine from './rust-regex/index.ts'

export type RegexEngine = typeof engine

export function regexEngine(): RegexEngine {
  return engine
}

export async function loadRegexEngine(): Promise<void> {
  // It is there.
}
