/**
 * Counts for each word how many documents have it, while rows are written. Memory: some 100 bytes a word, of at most
 * `MOST_WORDS`; what is more goes to the scratch disk in sorted runs.
 */
import { allocate, utf8Decode, utf8Encode } from '#codec'
import { readUint32, writeUint32 } from '../../codec/bytes.ts'
import { compareKeys } from '../../ports/object-key.ts'
import type { Scratch } from '../../ports/scratch.ts'
import { type RunItems, SpilledRuns } from '../../sort/spilled-runs.ts'
import type { WordRows } from './layout.ts'

const MOST_WORDS = 500_000

export class WordCounter {
  readonly #runs: SpilledRuns<WordRows>
  readonly #mostWords: number
  readonly #numbers = new Map<string, number>()
  /** By number. */
  #counts = new Uint32Array(1 << 12)
  #lastRows = new Int32Array(1 << 12).fill(-1)

  constructor(scratch: Scratch, mostWords = MOST_WORDS) {
    this.#runs = new SpilledRuns(scratch, wordRowsItems())
    this.#mostWords = mostWords
  }

  /** The number of a word, until `endRow` returns a promise. @param folded without the difference of case */
  numberOf(folded: string): number {
    const word = folded.toWellFormed()
    let number = this.#numbers.get(word)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(word, number)
      if (number === this.#counts.length) {
        const counts = new Uint32Array(2 * number)
        counts.set(this.#counts)
        this.#counts = counts
        const lastRows = new Int32Array(2 * number).fill(-1)
        lastRows.set(this.#lastRows)
        this.#lastRows = lastRows
      }
    }
    return number
  }

  /** A row counts a word once. Rows must not descend. */
  see(number: number, row: number): void {
    if (this.#lastRows[number] === row) return
    this.#lastRows[number] = row
    this.#counts[number] = (this.#counts[number] as number) + 1
  }

  /** Call after each row. If a promise is returned, wait for it before the next call: the numbers begin again. */
  endRow(): Promise<void> | undefined {
    return this.#numbers.size >= this.#mostWords ? this.#spill() : undefined
  }

  #sorted(): WordRows[] {
    return Array.from(this.#numbers, ([word, number]) => ({ word, rows: this.#counts[number] as number }))
      .filter(({ rows }) => rows > 0)
      .sort((a, b) => compareKeys(a.word, b.word))
  }

  async #spill(): Promise<void> {
    await this.#runs.add(this.#sorted())
    this.#numbers.clear()
    this.#counts.fill(0)
    this.#lastRows.fill(-1)
  }

  /** All words in byte order. Call once. */
  async *words(): AsyncGenerator<WordRows> {
    if (this.#runs.count === 0) {
      yield* this.#sorted()
      return
    }
    await this.#spill()
    let last: WordRows | undefined
    for await (const batch of this.#runs.merged())
      for (const one of batch) {
        if (last && last.word === one.word) last.rows += one.rows
        else {
          if (last) yield last
          last = one
        }
      }
    if (last) yield last
  }

  /** Frees the scratch disk. */
  close(): Promise<void> {
    return this.#runs.close()
  }
}

/** u32 documents, then the word's UTF-8. */
function wordRowsItems(): RunItems<WordRows> {
  let buffer = allocate(512)
  return {
    encode: ({ word, rows }) => {
      const text = utf8Encode(word)
      if (4 + text.length > buffer.length) buffer = allocate(4 + text.length)
      writeUint32(buffer, 0, rows)
      buffer.set(text, 4)
      return buffer.subarray(0, 4 + text.length)
    },
    decode: (bytes) => ({ word: utf8Decode(bytes, 4, bytes.length), rows: readUint32(bytes, 0) }),
    compare: (a, b) => compareKeys(a.word, b.word),
  }
}
