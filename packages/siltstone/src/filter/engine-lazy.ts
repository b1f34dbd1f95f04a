/**
 * `#regex` for pages: the engine of regular expressions, with its tables of Unicode, is as large as all else that a
 * search needs, and few searches need it. It is loaded by who is about to read a filter with a pattern.
 */
import { unsupported } from '../errors.ts'

export type RegexEngine = typeof import('./rust-regex/index.ts')

let engine: RegexEngine | undefined

/** @throws SiltstoneError `unsupported` (regex-not-loaded) */
export function regexEngine(): RegexEngine {
  if (!engine) throw unsupported('regex-not-loaded', 'regular expressions were not loaded before the filter was read')
  return engine
}

export async function loadRegexEngine(): Promise<void> {
  engine ??= await import('./rust-regex/index.ts')
}
