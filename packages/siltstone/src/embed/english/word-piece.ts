import { corrupt } from '../../errors.ts'

/** Longer words are [UNK]. Counted in code points. */
export const MAX_WORD_CHARACTERS = 100
export const UNKNOWN = '[UNK]'

/** Splits words into the pieces of a vocabulary, longest match first (Wu et al., 2016; BERT's greedy variant). */
export class WordPiece {
  readonly unknownId: number
  readonly #starts = new Map<string, number>()
  readonly #continuations = new Map<string, number>()
  #longest = 0

  private constructor(unknownId: number) {
    this.unknownId = unknownId
  }

  /**
   * @param vocabulary one token a line; the line's number from 0 is its id; continuations begin with `##`
   * @throws SiltstoneError `corrupt` (embedder-vocabulary) when it has no [UNK]
   */
  static of(vocabulary: string): WordPiece {
    const lines = vocabulary.split('\n')
    if (lines.at(-1) === '') lines.pop()
    const unknown = lines.lastIndexOf(UNKNOWN)
    if (unknown < 0) throw corrupt('embedder-vocabulary', `The embedder's vocabulary has no ${UNKNOWN} token.`)
    const pieces = new WordPiece(unknown)
    for (const [id, token] of lines.entries()) pieces.add(token, id)
    pieces.size = lines.length
    return pieces
  }

  /** Without tokens: `add` gives those that the words to split may begin or go on with. */
  static partial(unknownId: number): WordPiece {
    return new WordPiece(unknownId)
  }

  /** Of the whole vocabulary. */
  size = 0

  add(token: string, id: number): void {
    const continues = token.length > 2 && token.startsWith('##')
    const piece = continues ? token.slice(2) : token
    const pieces = continues ? this.#continuations : this.#starts
    pieces.set(piece, id)
    this.#longest = Math.max(this.#longest, piece.length)
  }

  /** The id of a token that stands for the whole word. */
  whole(word: string): number | undefined {
    return this.#starts.get(word)
  }

  /** The ids of a normalised word. Never empty. */
  split(word: string): readonly number[] {
    const whole = this.#starts.get(word)
    if (whole !== undefined) return [whole]
    if (WordPiece.isTooLong(word)) return [this.unknownId]
    const ids: number[] = []
    let start = 0
    while (start < word.length) {
      const end = this.end(word, start)
      if (end === start) return [this.unknownId]
      ids.push((start === 0 ? this.#starts : this.#continuations).get(word.slice(start, end)) as number)
      start = end
    }
    return ids
  }

  /** The end of the longest piece that begins at `start`; `start` when there is none. */
  end(word: string, start: number): number {
    const pieces = start === 0 ? this.#starts : this.#continuations
    let end = Math.min(word.length, start + this.#longest)
    while (end > start && !pieces.has(word.slice(start, end))) end--
    return end
  }

  static isTooLong(word: string): boolean {
    if (word.length <= MAX_WORD_CHARACTERS) return false
    if (word.length > 2 * MAX_WORD_CHARACTERS) return true
    return Array.from(word).length > MAX_WORD_CHARACTERS
  }
}
