/**
 * Exact JSON: integers and floats stay apart, 64-bit integers keep every digit.
 *
 * | JSON text                              | value                                                     |
 * |----------------------------------------|-----------------------------------------------------------|
 * | number without `.` and exponent, in i64 | bigint                                                   |
 * | any other number (`1.0`, `1e3`, 2^64)   | number; refused if it is not finite as a double           |
 * | object                                 | Map, in the order of the text (a repeated key: last wins) |
 *
 * Objects are Maps, because a Map has no prototype to pollute and keeps the order of keys such as `2`. `JSON.parse`
 * with a reviver is slower, loses that order, and recurses without a limit.
 */
export type ExactJson = null | boolean | string | bigint | number | ExactJson[] | Map<string, ExactJson>

const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n
const MAX_DEPTH = 200
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
// oxlint-disable-next-line no-control-regex -- JSON forbids them raw in a string
const CONTROL = /[\u0000-\u001f]/

/** @throws SyntaxError with the position; the caller says which text it was */
export function parseExact(text: string): ExactJson {
  return new Parser(text).parse()
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): ExactJson {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail('the end')
    return value
  }

  #fail(expected: string): never {
    throw new SyntaxError(`JSON: expected ${expected} at position ${this.#at}`)
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.#at++
    }
  }

  #value(depth: number): ExactJson {
    if (depth > MAX_DEPTH) this.#fail(`at most ${MAX_DEPTH} levels`)
    this.#space()
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === 't') return this.#word('true', true)
    if (first === 'f') return this.#word('false', false)
    if (first === 'n') return this.#word('null', null)
    return this.#number()
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value')
    this.#at += word.length
    return value
  }

  #number(): bigint | number {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) this.#fail('a value')
    if (match[1] === undefined && match[2] === undefined && match[0].length <= 20) {
      const integer = BigInt(match[0])
      // -0 is not an integer.
      if (match[0] !== '-0' && integer >= I64_MIN && integer <= I64_MAX) {
        this.#at += match[0].length
        return integer
      }
    }
    const float = Number(match[0])
    if (!Number.isFinite(float)) this.#fail('a number within the range of a double')
    this.#at += match[0].length
    return float
  }

  #string(): string {
    const start = this.#at
    let end = start
    do {
      end = this.#text.indexOf('"', end + 1)
      if (end < 0) this.#fail('a string that ends')
    } while (this.#escaped(end))
    const raw = this.#text.slice(start + 1, end)
    if (CONTROL.test(raw)) this.#fail('a string without raw control characters')
    const value = raw.includes('\\') ? (JSON.parse(this.#text.slice(start, end + 1)) as string) : raw
    this.#at = end + 1
    return value
  }

  /** Whether an odd number of backslashes comes before it. */
  #escaped(at: number): boolean {
    let count = 0
    while (this.#text.charCodeAt(at - 1 - count) === 92) count++
    return count % 2 === 1
  }

  #array(depth: number): ExactJson[] {
    const items: ExactJson[] = []
    this.#at++
    this.#space()
    if (this.#text[this.#at] === ']') {
      this.#at++
      return items
    }
    for (;;) {
      items.push(this.#value(depth + 1))
      if (this.#more(']')) continue
      return items
    }
  }

  #object(depth: number): Map<string, ExactJson> {
    const map = new Map<string, ExactJson>()
    this.#at++
    this.#space()
    if (this.#text[this.#at] === '}') {
      this.#at++
      return map
    }
    for (;;) {
      this.#space()
      if (this.#text[this.#at] !== '"') this.#fail('a key in double quotes')
      const key = this.#string()
      this.#space()
      if (this.#text[this.#at] !== ':') this.#fail("':'")
      this.#at++
      map.set(key, this.#value(depth + 1))
      if (this.#more('}')) continue
      return map
    }
  }

  #more(close: string): boolean {
    this.#space()
    const next = this.#text[this.#at]
    if (next !== ',' && next !== close) this.#fail(`',' or '${close}'`)
    this.#at++
    return next === ','
  }
}

/**
 * The inverse of `parseExact`; also takes plain objects (own enumerable keys, `undefined` left out).
 * A number is always written as a float (1 as `1.0`).
 * @throws TypeError for NaN, infinities, integers outside i64, and values that JSON cannot express
 */
export function stringifyExact(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'number') return stringifyFloat(value)
  if (typeof value === 'bigint') {
    if (value < I64_MIN || value > I64_MAX) throw new TypeError(`JSON: integer ${value} does not fit 64 bits`)
    return value.toString()
  }
  if (typeof value !== 'object') throw new TypeError(`JSON: a ${typeof value} has no text`)
  if (Array.isArray(value)) return `[${value.map(stringifyExact).join(',')}]`
  const entries = value instanceof Map ? [...value] : Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${entries.map(([key, item]) => `${JSON.stringify(String(key))}:${stringifyExact(item)}`).join(',')}}`
}

function stringifyFloat(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`JSON: ${value} has no text`)
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}
