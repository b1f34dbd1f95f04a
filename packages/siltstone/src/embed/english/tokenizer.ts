import { basicTokens } from './basic-tokens.ts'
import type { WordPiece } from './word-piece.ts'

/**
 * Text to token ids, fast. Most text is ASCII and most words were seen before, so a scan by character class finds the
 * words and a bounded cache answers for them; a stretch with anything else goes through `basicTokens`.
 * The result is that of `basicTokens` and `WordPiece.split` over the whole text, cut at `MAX_TOKENS`.
 */
export const MAX_TOKENS = 256
const CACHE_ENTRIES = 65_536
/** Longer words are not cached: they are rare, and an attacker could fill memory with them. */
const CACHED_LENGTH = 32
/** In V8 a slice of at least this length keeps the text that it was cut from in memory. */
const SLICED_STRING_LENGTH = 13

/** Class 0 is a letter or digit. */
const BLANK = 1
const PUNCTUATION = 2
/** Dropped characters join their neighbours, so a word with one takes the general path. */
const OTHER = 3

const CLASS = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code)
  if (/[ \t\n\r]/.test(character)) CLASS[code] = BLANK
  else if (code < 32 || code === 127) CLASS[code] = OTHER
  else if (/[^0-9A-Za-z]/.test(character)) CLASS[code] = PUNCTUATION
}

export class Tokenizer {
  /** The tokens of the last text that was encoded; valid up to the count `encode` returned. */
  readonly ids: Int32Array = new Int32Array(MAX_TOKENS)
  readonly #wordPiece: WordPiece
  /** By the word as written, so that a hit needs no lower-casing. One id is stored as a number. */
  #cache = new Map<string, number | readonly number[]>()
  readonly #punctuation = new Int32Array(128)
  #count = 0

  constructor(wordPiece: WordPiece) {
    this.#wordPiece = wordPiece
    for (let code = 0; code < 128; code++) {
      if (CLASS[code] !== PUNCTUATION) continue
      this.#punctuation[code] = wordPiece.whole(String.fromCharCode(code)) ?? wordPiece.unknownId
    }
  }

  /** Fills `ids` with the first `MAX_TOKENS` tokens of the text and returns how many there are. */
  encode(text: string): number {
    const { length } = text
    this.#count = 0
    let at = 0
    while (at < length && this.#count < MAX_TOKENS) {
      const code = text.charCodeAt(at)
      const kind = code < 128 ? CLASS[code] : OTHER
      if (kind === BLANK) {
        at++
      } else if (kind === PUNCTUATION) {
        this.ids[this.#count++] = this.#punctuation[code] as number
        at++
      } else {
        at = this.#word(text, at)
      }
    }
    return this.#count
  }

  /** Encodes the stretch that begins at `start` and ends before an ASCII blank or punctuation mark; returns its end. */
  #word(text: string, start: number): number {
    const { length } = text
    let end = start
    let plain = true
    for (; end < length; end++) {
      const code = text.charCodeAt(end)
      const kind = code < 128 ? CLASS[code] : OTHER
      if (kind === BLANK || kind === PUNCTUATION) break
      if (kind === OTHER) plain = false
    }
    const stretch = text.slice(start, end)
    if (plain) this.#append(this.#lookUp(stretch))
    else this.#general(stretch)
    return end
  }

  #general(stretch: string): void {
    for (const word of basicTokens(stretch)) {
      if (this.#count === MAX_TOKENS) return
      this.#append(this.#lookUp(word))
    }
  }

  #append(ids: number | readonly number[]): void {
    if (typeof ids === 'number') {
      this.ids[this.#count++] = ids
      return
    }
    for (const id of ids) {
      if (this.#count === MAX_TOKENS) return
      this.ids[this.#count++] = id
    }
  }

  #lookUp(word: string): number | readonly number[] {
    const cached = this.#cache.get(word)
    if (cached !== undefined) return cached
    const pieces = this.#wordPiece.split(word.toLowerCase())
    const ids = pieces.length === 1 ? (pieces[0] as number) : pieces
    if (word.length <= CACHED_LENGTH) {
      if (this.#cache.size >= CACHE_ENTRIES) this.#cache = new Map()
      this.#cache.set(word.length < SLICED_STRING_LENGTH ? word : copyOf(word), ids)
    }
    return ids
  }
}

function copyOf(word: string): string {
  return String.fromCharCode(...Array.from({ length: word.length }, (_, i) => word.charCodeAt(i)))
}
