/**
 * Counts the terms of documents, for building an index. Words that occurred before are found by a hash of their characters in the
 * text itself, so a known word costs no string of its own and no look-up of its term.
 */
import type { Analyzer } from '../text/analyzer.ts'
import { eachPlace, fold, normalForm } from '../text/words.ts'
import type { WordCounter } from './dictionary/word-counter.ts'
import { wordKey } from './keys.ts'

/** The most words in memory: about 100 bytes each. */
const MOST_WORDS = 200_000
const FIRST_SLOTS = 1 << 12

export class TermCounter {
  readonly #analyzer: Analyzer
  readonly #numberOf: (key: number) => number
  readonly #dictionary: WordCounter
  /** An open hash table: place of the word in the arrays below, plus 1. Twice as large as what it holds, at least. */
  #slots = new Int32Array(FIRST_SLOTS)
  #words: string[] = []
  #hashes = new Int32Array(FIRST_SLOTS / 2)
  /** The number of the term of each word. */
  #terms = new Int32Array(FIRST_SLOTS / 2)
  /** Its number in the dictionary. */
  #folded = new Int32Array(FIRST_SLOTS / 2)
  /** Of the document at hand, by number of term. */
  #counts = new Uint32Array(FIRST_SLOTS)
  #present = new Int32Array(256)

  /** @param numberOf gives the number of a term by its key; numbers are small @param dictionary counts words */
  constructor(analyzer: Analyzer, numberOf: (key: number) => number, dictionary: WordCounter) {
    this.#analyzer = analyzer
    this.#numberOf = numberOf
    this.#dictionary = dictionary
  }

  /** Forgets the numbers of terms and words. */
  clear(): void {
    this.#slots = new Int32Array(FIRST_SLOTS)
    this.#words = []
    this.#hashes = new Int32Array(FIRST_SLOTS / 2)
    this.#terms = new Int32Array(FIRST_SLOTS / 2)
    this.#folded = new Int32Array(FIRST_SLOTS / 2)
    this.#counts = new Uint32Array(FIRST_SLOTS)
  }

  /** Calls `take` once for each different term of a row's document, with its number. @returns the number of words */
  count(row: number, document: string, take: (term: number, count: number) => void): number {
    if (this.#words.length >= MOST_WORDS) this.clear()
    const normal = normalForm(document)
    let length = 0
    let different = 0
    eachPlace(normal, (start, end) => {
      length++
      const place = this.#place(normal, start, end)
      const term = this.#terms[place] as number
      this.#dictionary.see(this.#folded[place] as number, row)
      if (term >= this.#counts.length) this.#counts = larger(this.#counts, new Uint32Array(2 * Math.max(term, 1)))
      const before = this.#counts[term] as number
      this.#counts[term] = before + 1
      if (before > 0) return
      if (different === this.#present.length) this.#present = larger(this.#present, new Int32Array(2 * different))
      this.#present[different++] = term
    })
    for (let i = 0; i < different; i++) {
      const term = this.#present[i] as number
      take(term, this.#counts[term] as number)
      this.#counts[term] = 0
    }
    return length
  }

  #place(normal: string, start: number, end: number): number {
    // FNV-1a (Fowler, Noll and Vo) over code units.
    let hash = 0x811c9dc5
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ normal.charCodeAt(at), 0x01000193)
    // The lowest bits depend on the lowest bits of the characters alone.
    hash ^= hash >>> 15
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let place = this.#slots[slot] as number; place > 0; place = this.#slots[slot] as number) {
      const word = this.#words[place - 1] as string
      if (this.#hashes[place - 1] === hash && word.length === end - start && normal.startsWith(word, start))
        return place - 1
      slot = (slot + 1) & mask
    }
    return this.#add(normal.slice(start, end), hash, slot)
  }

  #add(word: string, hash: number, slot: number): number {
    if (this.#words.length === this.#hashes.length) {
      this.#hashes = larger(this.#hashes, new Int32Array(2 * this.#hashes.length))
      this.#terms = larger(this.#terms, new Int32Array(2 * this.#terms.length))
      this.#folded = larger(this.#folded, new Int32Array(2 * this.#folded.length))
    }
    const place = this.#words.length
    // A copy: a slice of a long text would keep the text in memory.
    this.#words.push(JSON.parse(JSON.stringify(word)) as string)
    this.#hashes[place] = hash
    const folded = fold(word)
    this.#terms[place] = this.#numberOf(wordKey(this.#analyzer.termOfFolded(folded)))
    this.#folded[place] = this.#dictionary.numberOf(folded)
    this.#slots[slot] = place + 1
    if (2 * this.#words.length >= this.#slots.length) this.#grow()
    return place
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let place = 0; place < this.#words.length; place++) {
      let slot = (this.#hashes[place] as number) & mask
      while ((slots[slot] as number) > 0) slot = (slot + 1) & mask
      slots[slot] = place + 1
    }
    this.#slots = slots
  }
}

function larger<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
