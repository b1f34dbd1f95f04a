/** The text of a pattern while it is parsed: a position, the flags in force, and errors that point at places. */
import type { CharSet } from './char-set.ts'
import { regexError, type Span, syntaxError } from './syntax-error.ts'

export interface Flags {
  /** i: without regard to case. */
  ignoresCase: boolean
  /** m: `^` and `$` match at lines. */
  multiLine: boolean
  /** s: `.` matches line feeds. */
  dotMatchesAll: boolean
  /** R: lines end in CR, LF or both. */
  crlf: boolean
  /** u: classes, dots and case folding are about Unicode. */
  unicode: boolean
  /** x: white space and comments are no part of the pattern. */
  verbose: boolean
}

/** In numbers of their ranges, all classes together: a bound of the work to read a pattern. */
const MAX_CLASSES = 1 << 20

const WHITE_SPACE = /^\p{White_Space}$/u

export const isWhiteSpace = (char: string): boolean => WHITE_SPACE.test(char)

export class Source {
  readonly chars: readonly string[]
  at = 0
  flags: Flags = {
    ignoresCase: false,
    multiLine: false,
    dotMatchesAll: false,
    crlf: false,
    unicode: true,
    verbose: false,
  }
  #charged = 0
  #unmeant: { problem: string; span: Span } | undefined

  constructor(pattern: string) {
    this.chars = Array.from(pattern)
  }

  get atEnd(): boolean {
    return this.at >= this.chars.length
  }

  /** The character at the position; '' at the end. */
  get char(): string {
    return this.chars[this.at] ?? ''
  }

  /** The span of the character at the position. */
  get charSpan(): Span {
    return { start: this.at, end: this.at + 1 }
  }

  /** Whether the character at the position is this one. */
  is(char: string): boolean {
    return this.char === char
  }

  get next(): string {
    return this.chars[this.at + 1] ?? ''
  }

  /** The next character that is no white space. A comment is skipped as Rust does it, up to its first character. */
  get nextAfterSpace(): string {
    if (!this.flags.verbose) return this.next
    let inComment = false
    for (let i = this.at + 1; i < this.chars.length; i++) {
      const char = this.chars[i] as string
      if (isWhiteSpace(char)) continue
      if (inComment || char !== '#') return char
      inComment = true
    }
    return this.next
  }

  /** @returns whether a character is left */
  bump(): boolean {
    if (!this.atEnd) this.at++
    return !this.atEnd
  }

  bumpIf(prefix: string): boolean {
    const found = this.chars.slice(this.at, this.at + prefix.length).join('') === prefix
    if (found) this.at += prefix.length
    return found
  }

  bumpAndSpace(): boolean {
    this.bump()
    this.space()
    return !this.atEnd
  }

  /** Skips white space and comments in verbose mode. */
  space(): void {
    while (this.flags.verbose && !this.atEnd) {
      if (this.char === '#') while (this.bump() && !this.is('\n'));
      else if (!isWhiteSpace(this.char)) return
      if (!this.atEnd) this.at++
    }
  }

  spanFrom(start: number): Span {
    return { start, end: this.at }
  }

  /** Counts the work that a class takes. */
  charge(set: CharSet): CharSet {
    this.#charged += set.length
    if (this.#charged > MAX_CLASSES) throw regexError('the character classes of the pattern are too large')
    return set
  }

  /** Ends the parsing with a mistake in the syntax. */
  fail(problem: string, ...spans: readonly Span[]): never {
    throw syntaxError(this.chars, problem, ...spans)
  }

  /** Notes a construct that is well-formed but has no meaning. Mistakes in the syntax are reported before these. */
  failLater(problem: string, span: Span): void {
    this.#unmeant ??= { problem, span }
  }

  failNow(): void {
    if (this.#unmeant) this.fail(this.#unmeant.problem, this.#unmeant.span)
  }
}
