import { corrupt } from '../../errors.ts'

/** Longer words are [UNK]. Counted in code points. */
export const MAX_WORD_CHARACTERS = 100
const UNKNOWN = '[UNK]'

/** Splits words into the pieces of a vocabulary, longest match first (Wu et al., 2016; BERT's greedy variant). */
export class WordPiece {
  readonly size: number
  readonly unknownId: number
  readonly #starts = new Map<string, number>()
  readonly #continuations = new Map<string, number>()
  #longest = 0

  /**
   * @param vocabulary one token a line; the line's number from 0 is its id; continuations begin with `##`
   * @throws SiltstoneError `corrupt` (embedder-vocabulary) when it has no [UNK]
   */
  constructor(vocabulary: string) {
    const lines = vocabulary.split('\n')
    if (lines.at(-1) === '') lines.pop()
    this.size = lines.length
    for (const [id, token] of lines.entries()) {
      const continues = token.length > 2 && token.startsWith('##')
      const piece = continues ? token.slice(2) : token
      const pieces = continues ? this.#continuations : this.#starts
      pieces.set(piece, id)
      this.#longest = Math.max(this.#longest, piece.length)
    }
    const unknown = this.#starts.get(UNKNOWN)
    if (unknown === undefined)
      throw corrupt('embedder-vocabulary', `The embedder's vocabulary has no ${UNKNOWN} token.`)
    this.unknownId = unknown
  }

  /** The id of a token that stands for the whole word. */
  whole(word: string): number | undefined {
    return this.#starts.get(word)
  }

  /** The ids of a normalised word. Never empty. */
  split(word: string): readonly number[] {
    const whole = this.#starts.get(word)
    if (whole !== undefined) return [whole]
    if (tooLong(word)) return [this.unknownId]
    const ids: number[] = []
    let start = 0
    while (start < word.length) {
      const pieces = start === 0 ? this.#starts : this.#continuations
      let end = Math.min(word.length, start + this.#longest)
      let id: number | undefined
      for (; end > start; end--) {
        id = pieces.get(word.slice(start, end))
        if (id !== undefined) break
      }
      if (id === undefined) return [this.unknownId]
      ids.push(id)
      start = end
    }
    return ids
  }
}

function tooLong(word: string): boolean {
  if (word.length <= MAX_WORD_CHARACTERS) return false
  if (word.length > 2 * MAX_WORD_CHARACTERS) return true
  return Array.from(word).length > MAX_WORD_CHARACTERS
}
