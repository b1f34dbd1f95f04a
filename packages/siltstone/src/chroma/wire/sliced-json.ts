/**
 * Parses a large JSON object in slices, with a pause between them, so that other requests are answered in the meantime.
 *
 * The text stays in bytes. Elements of an array are cut at their ends, and as many as fit a slice go to the parser
 * together. A value that is larger than a slice is entered: its own elements, members or pieces of its text are cut.
 * The end of a value is looked for within a slice only, so each level of nesting costs at most one slice of scanning
 * in vain.
 *
 * What nobody will look at is parsed, because it must be JSON, but not kept: it would make the garbage collector stop the
 * process. These are values that are not wanted, and elements beyond the longest list that an endpoint may accept.
 */
import type { Pause } from '../../pacer.ts'
import { badJson, badLargeJson } from './json-problem.ts'

export const SLICE_BYTES = 128 * 1024
const MAX_DEPTH = 200
const MAX_KEYS = 100_000

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const COLON = 58
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Parses a piece of text, which is complete JSON. */
export type ParsePiece = (text: string) => unknown

/** Parses the value of a key of the body. */
export interface FieldParser {
  parse: ParsePiece
  /** Builds an object from its entries. */
  object: (entries: [string, unknown][]) => unknown
  /** What is kept of an element of the value, if that is a list. Default: the element. */
  element?: (value: unknown) => unknown
  /** How many elements are kept if it is a list. A longer one has its length, and holes. Default: all. */
  keptElements?: number
}

export interface SlicedParsing {
  /** Whether the value of a key of the body is wanted. It is null otherwise. Default: every one is. */
  isWanted?: (key: string) => boolean
  parserOf(key: string): FieldParser
  parseKey: ParsePiece
  pause: Pause
  sliceBytes?: number
}

/** @returns the values by key (the last one of a repeated key). @throws SiltstoneError `invalid` (bad-json) */
export async function parseObjectSliced(bytes: Uint8Array, options: SlicedParsing): Promise<Map<string, unknown>> {
  return new SlicedParser(bytes, options).body()
}

class SlicedParser {
  readonly #bytes: Uint8Array
  readonly #options: SlicedParsing
  readonly #sliceBytes: number
  #at = 0
  #pausedAt = 0
  #parser: FieldParser
  #isKept = true

  constructor(bytes: Uint8Array, options: SlicedParsing) {
    this.#bytes = bytes
    this.#options = options
    this.#sliceBytes = options.sliceBytes ?? SLICE_BYTES
    this.#parser = options.parserOf('')
  }

  async body(): Promise<Map<string, unknown>> {
    const values = new Map<string, unknown>()
    this.#space()
    await this.#members(async (key) => {
      const startedAt = this.#at
      this.#parser = this.#options.parserOf(key)
      this.#isKept = this.#options.isWanted?.(key) ?? true
      const valueOf = async () => {
        const value = await this.#value(1)
        return this.#isKept ? value : null
      }
      try {
        values.set(key, await valueOf())
      } catch (error) {
        if (!(error instanceof NeedsOtherParser)) throw error
        this.#at = startedAt
        this.#pausedAt = startedAt
        this.#parser = error.parser
        values.set(key, await valueOf())
      }
    })
    this.#space()
    if (this.#at < this.#bytes.length) throw this.#fail('the end of the text')
    return values
  }

  async #value(depth: number): Promise<unknown> {
    if (depth > MAX_DEPTH) throw badJson(`the text is nested deeper than ${MAX_DEPTH} levels`)
    const start = this.#at
    const end = this.#endWithin(start)
    if (end >= 0) return this.#piece(start, end)
    switch (this.#bytes[start]) {
      case 91:
        return this.#array(depth)
      case 123: {
        const entries: [string, unknown][] = []
        await this.#members(async (key) => {
          const value = await this.#value(depth + 1)
          if (this.#isKept) entries.push([key, value])
          if (entries.length > MAX_KEYS) throw badJson(`an object has more than ${MAX_KEYS} keys`)
        })
        return this.#parser.object(entries)
      }
      case QUOTE:
        return this.#text()
      case undefined:
      default:
        throw this.#fail('a value')
    }
  }

  async #array(depth: number): Promise<unknown[]> {
    const values: unknown[] = []
    const kept = this.#isKept ? (depth === 1 ? (this.#parser.keptElements ?? Infinity) : Infinity) : 0
    let count = 0
    const convert = depth === 1 ? this.#parser.element : undefined
    const add = (value: unknown) => {
      if (count++ < kept) values.push(convert ? convert(value) : value)
    }
    const whole = () => {
      if (this.#isKept) values.length = count
      return values
    }
    this.#at++
    this.#space()
    if (this.#bytes[this.#at] === 93) {
      this.#at++
      return values
    }
    let start = this.#at
    const take = (end: number) => {
      if (end <= start) return
      for (const value of this.#parse(start, end, '[', ']') as unknown[]) add(value)
    }
    for (;;) {
      const end = this.#endWithin(this.#at)
      if (end < 0) {
        take(this.#beforeComma(start))
        add(await this.#value(depth + 1))
        start = -1
      } else this.#at = end
      const elementEnd = this.#at
      this.#space()
      const byte = this.#bytes[this.#at++]
      const isDue = elementEnd - start >= this.#sliceBytes
      if (start >= 0 && (isDue || byte === 93)) take(elementEnd)
      if (byte === 93) return whole()
      if (byte !== COMMA) throw this.#fail("',' or ']'")
      this.#space()
      if (isDue || start < 0) start = this.#at
      await this.#spent()
    }
  }

  /** The end of the elements before the one at which the parser is: without its comma. */
  #beforeComma(start: number): number {
    let end = this.#at
    while (end > start && this.#bytes[end - 1] !== COMMA) end--
    return end - 1
  }

  async #members(member: (key: string) => Promise<void>): Promise<void> {
    if (this.#bytes[this.#at] !== 123) throw this.#fail("'{'")
    this.#at++
    this.#space()
    if (this.#bytes[this.#at] === 125) {
      this.#at++
      return
    }
    const { parseKey } = this.#options
    for (;;) {
      if (this.#bytes[this.#at] !== QUOTE) throw this.#fail('a key')
      const end = this.#endWithin(this.#at)
      const key = end < 0 ? await this.#text(parseKey) : (this.#piece(this.#at, end, parseKey) as string)
      this.#space()
      if (this.#bytes[this.#at++] !== COLON) throw this.#fail("':'")
      this.#space()
      await member(key)
      await this.#spent()
      this.#space()
      const byte = this.#bytes[this.#at++]
      if (byte === 125) return
      if (byte !== COMMA) throw this.#fail("',' or '}'")
      this.#space()
    }
  }

  /** A text that is longer than a slice. It is cut between characters and between escape sequences. */
  async #text(parse = this.#parser.parse): Promise<string> {
    const pieces: string[] = []
    let start = ++this.#at
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) throw this.#fail("'\"'")
      const isEnd = byte === QUOTE
      if (isEnd || (this.#at - start >= this.#sliceBytes && (byte & 0xc0) !== 0x80 && !this.#isLowSurrogate())) {
        const piece = this.#parse(start, this.#at, '"', '"', parse) as string
        if (this.#isKept || parse !== this.#parser.parse) pieces.push(piece)
        start = this.#at
        await this.#spent()
      }
      if (isEnd) {
        this.#at++
        return pieces.join('')
      }
      this.#at += byte === BACKSLASH ? (this.#bytes[this.#at + 1] === 117 ? 6 : 2) : 1
    }
  }

  /** Whether the escape sequence here, `\uDC00` to `\uDFFF`, belongs to the one before. */
  #isLowSurrogate(): boolean {
    const at = this.#at
    const letter = (this.#bytes[at + 3] ?? 0) | 32
    return (
      this.#bytes[at] === BACKSLASH &&
      this.#bytes[at + 1] === 117 &&
      ((this.#bytes[at + 2] ?? 0) | 32) === 100 &&
      letter >= 99 &&
      letter <= 102
    )
  }

  /** The end of the value at `start`; -1 if it is further away than a slice, or not there. */
  #endWithin(start: number): number {
    const bytes = this.#bytes
    const limit = Math.min(bytes.length, start + this.#sliceBytes)
    let depth = 0
    let inText = false
    for (let at = start; at < limit; at++) {
      const byte = bytes[at] as number
      if (inText) {
        if (byte === BACKSLASH) at++
        else if (byte === QUOTE) {
          inText = false
          if (depth === 0) return at + 1
        }
      } else if (byte === QUOTE) {
        if (depth === 0 && at > start) return at
        inText = true
      } else if (byte === 91 || byte === 123) {
        if (depth === 0 && at > start) return at
        depth++
      } else if (byte === 93 || byte === 125) {
        if (depth === 0) return at > start ? at : -1
        if (--depth === 0) return at + 1
      } else if (depth === 0 && (byte === COMMA || byte === COLON || isSpace(byte))) return at > start ? at : -1
    }
    return -1
  }

  #piece(start: number, end: number, parse = this.#parser.parse): unknown {
    this.#at = end
    return this.#parse(start, end, '', '', parse)
  }

  #parse(start: number, end: number, before: string, after: string, parse = this.#parser.parse): unknown {
    const text = this.#decode(start, end)
    try {
      return parse(before + text + after)
    } catch (cause) {
      if (cause instanceof SyntaxError) throw badLargeJson(start, cause)
      throw cause
    }
  }

  #decode(start: number, end: number): string {
    try {
      return decoder.decode(this.#bytes.subarray(start, end))
    } catch (cause) {
      throw badJson('the body is not UTF-8', cause)
    }
  }

  async #spent(): Promise<void> {
    if (this.#at - this.#pausedAt < this.#sliceBytes) return
    this.#pausedAt = this.#at
    await this.#options.pause()
  }

  #space(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at++
  }

  #fail(expected: string): Error {
    return badJson(`expected ${expected} at byte ${Math.min(this.#at, this.#bytes.length)}`)
  }
}

/** Thrown by a parser of pieces: the value has to be parsed again, by another one. */
export class NeedsOtherParser extends Error {
  readonly parser: FieldParser

  constructor(parser: FieldParser) {
    super('parse again')
    this.parser = parser
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}
