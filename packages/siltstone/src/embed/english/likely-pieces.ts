/**
 * The pieces that a word may be cut into, before any of the vocabulary is read: by fingerprints of its tokens, which are right about
 * each text that is a token, and wrong about one in 64 that is none. What they say is verified by the chunks that are read at the same time.
 */
import { MAX_WORD_CHARACTERS } from './word-piece.ts'

/**
 * From so many characters on, a piece that begins a word, or goes on with one, is rather a mistake of the fingerprints than a
 * token: the next shorter one counts as well. (With these, all pieces of 94 of 100
 * labelled queries are found, four in five of which have words that are no tokens; without a second piece 89, with one of any length 97 for a third more reads.)
 */
const DOUBTFUL_START = 6
const DOUBTFUL_CONTINUATION = 4
/** Of one word. */
const MOST_PIECES = 12

export interface LikelyPieces {
  /** As tokens: continuations begin with `##`. */
  pieces: string[]
  /** What is left of the word behind each piece, as continuations: the chunks that tell what it begins with. */
  rests: string[]
}

/** @param isLikely whether a text may be a token @returns nothing of a word that may be a token itself */
export function likelyPieces(word: string, isLikely: (token: string) => boolean): LikelyPieces {
  const pieces = new Set<string>()
  const rests = new Set<string>()
  const followed = new Set<number>()
  const follow = (start: number): void => {
    if (followed.has(start)) return
    followed.add(start)
    const mark = start === 0 ? '' : '##'
    const doubtful = start === 0 ? DOUBTFUL_START : DOUBTFUL_CONTINUATION
    let found = 0
    for (let end = word.length; end > start && found < 2 && pieces.size < MOST_PIECES; end--) {
      const piece = `${mark}${word.slice(start, end)}`
      if (!isLikely(piece)) continue
      found++
      pieces.add(piece)
      if (end < word.length) {
        rests.add(`##${word.slice(end)}`)
        follow(end)
      }
      if (end - start < doubtful) break
    }
  }
  if (word.length <= MAX_WORD_CHARACTERS && !isLikely(word)) follow(0)
  return { pieces: [...pieces], rests: [...rests] }
}
