/** Parses as much of RE2's syntax as is needed to find the texts that a match contains. */

export type RegexNode =
  | { kind: 'literal'; text: string }
  /** An unknown text, possibly empty. */
  | { kind: 'any' }
  | { kind: 'sequence' | 'alternatives'; parts: RegexNode[] }
  | { kind: 'repeat'; part: RegexNode; least: number; most: number }

const ANY: RegexNode = { kind: 'any' }
const EMPTY: RegexNode = { kind: 'literal', text: '' }
const CONTROLS: Readonly<Record<string, string>> = { a: '\u0007', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
/** Deeper patterns are not understood, so that none can exhaust the stack. */
const MAX_DEPTH = 100

/** @returns undefined for a syntax error, and for syntax that is not understood (`(?i)`, octal escapes, …) */
export function parseRegex(pattern: string): RegexNode | undefined {
  if (!pattern.isWellFormed()) return undefined
  const parser = new Parser(pattern)
  const tree = parser.alternatives(0)
  return parser.isUnderstood && parser.atEnd ? tree : undefined
}

class Parser {
  readonly #pattern: string
  #at = 0
  isUnderstood = true

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  get atEnd(): boolean {
    return this.#at >= this.#pattern.length
  }

  #giveUp(): RegexNode {
    this.isUnderstood = false
    this.#at = this.#pattern.length
    return ANY
  }

  /** Consumes a match of the sticky expression at the current position. */
  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at
    const match = expression.exec(this.#pattern)
    if (match) this.#at += match[0].length
    return match ?? undefined
  }

  alternatives(depth: number): RegexNode {
    if (depth > MAX_DEPTH) return this.#giveUp()
    const parts = [this.#sequence(depth)]
    while (this.#take(/\|/y)) parts.push(this.#sequence(depth))
    return parts.length === 1 ? (parts[0] as RegexNode) : { kind: 'alternatives', parts }
  }

  #sequence(depth: number): RegexNode {
    const parts: RegexNode[] = []
    while (!this.atEnd && !/[|)]/.test(this.#pattern[this.#at] as string)) parts.push(this.#repeated(depth))
    return { kind: 'sequence', parts }
  }

  #repeated(depth: number): RegexNode {
    let node = this.#atom(depth)
    for (;;) {
      const found = this.#take(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y)
      if (!found) return node
      const [, sign, from, comma, to] = found
      const least = sign === undefined ? Number(from) : sign === '+' ? 1 : 0
      const bounded = comma === undefined ? least : to ? Number(to) : Number.POSITIVE_INFINITY
      const most = sign === undefined ? bounded : sign === '?' ? 1 : Number.POSITIVE_INFINITY
      node = { kind: 'repeat', part: node, least, most }
    }
  }

  #atom(depth: number): RegexNode {
    if (this.#take(/\(/y)) return this.#group(depth)
    if (this.#take(/\[\^?\]?(?:\\[^]|\[:[^\]]*:\]|[^\]\\])*\]/y) || this.#take(/\./y)) return ANY
    if (this.#take(/[\^$]/y)) return EMPTY
    if (this.#take(/\\/y)) return this.#escape()
    const literal = this.#take(/[^*+?()[\]\\]|\]/uy)
    return literal ? { kind: 'literal', text: literal[0] } : this.#giveUp()
  }

  #group(depth: number): RegexNode {
    // The flag i changes what a letter matches and is not understood; the other flags do not matter here.
    if (this.#take(/\?[smU-]*\)/y)) return EMPTY
    if (!this.#take(/\?(?:[smU-]*:|P?<\w+>)/y) && this.#pattern[this.#at] === '?') return this.#giveUp()
    const inside = this.alternatives(depth + 1)
    return this.#take(/\)/y) ? inside : this.#giveUp()
  }

  /** Called after the backslash. */
  #escape(): RegexNode {
    const quoted = this.#take(/Q([^]*?)(?:\\E|$)/y)
    // A repetition after \E applies to the last quoted character alone.
    if (quoted) return this.#pattern[this.#at]?.match(/[*+?{]/) ? this.#giveUp() : literalOf(quoted[1] ?? '')
    if (this.#take(/[dDwWsSC]|[pP](?:\{[^}]*\}|[A-Z])/y)) return ANY
    if (this.#take(/[AbBz]/y)) return EMPTY
    const hexadecimal = this.#take(/x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/y)
    if (hexadecimal) {
      const point = Number.parseInt(hexadecimal[1] ?? hexadecimal[2] ?? '', 16)
      return point > 0x10ffff ? this.#giveUp() : literalOf(String.fromCodePoint(point))
    }
    const control = this.#take(/[afnrtv]/y)
    if (control) return literalOf(CONTROLS[control[0]] as string)
    const punctuation = this.#take(/[!-/:-@[-`{-~]/y)
    return punctuation ? literalOf(punctuation[0]) : this.#giveUp()
  }
}

function literalOf(text: string): RegexNode {
  return { kind: 'literal', text }
}
