/**
 * What a text may have meant: for each of its words that is unknown or rare, words of the documents that differ by one edit, or
 * by two if it has six letters or more. Words are compared as they are written, without the difference of case; the first
 * letter has to be the same, so that only a part of the dictionary is read.
 *
 * An edit counts as much as a factor of 100 in the number of documents (the noisy channel of Kernighan, Church and Gale, "A
 * spelling correction program based on a noisy channel model", 1990, with one probability for all edits): a word that needs
 * two edits is preferred to one that needs one if 100 times as many documents have it; and of a rare word that is in the
 * documents, only words are offered that outweigh it in the same way.
 */
import type { View } from '../log/view.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import type { DidYouMean, KnownWord, WordCorrection } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import { compareKeys } from '../ports/object-key.ts'
import { documentAnalyzer } from '../text/analyzer.ts'
import { editDistance } from '../text/edit-distance.ts'
import { eachWord, fold, normalForm } from '../text/words.ts'
import { keyOfTerm } from '../word-index/count-terms.ts'
import { LiveWords } from './live-words.ts'
import { WordRetriever } from './word-retriever.ts'

const LEAST_LETTERS = 3
/** Words of at least this many letters may differ by two edits. */
const LEAST_LETTERS_OF_TWO = 6
/** How many more documents make up for an edit. */
const EDIT_FACTOR = 100
/** A word is rare if at most one in this many documents has it. */
const RARE = 1_000
/** Words of one text that are looked up. */
const MOST_WORDS = 32
const MOST_SUGGESTIONS = 5

interface Asked {
  written: string
  folded: string
  term: string
  /** In the text's normal form. */
  places: { start: number; end: number }[]
}

export interface DidYouMeanOptions {
  /**
   * The text is being typed, where bytes are dear: only words that no document has are looked at, and of these not the last one if it
   * begins a word of the documents. Default false.
   */
  whileTyping?: boolean
}

/**
 * @returns undefined if there is nothing to suggest
 * @throws SiltstoneError `unsupported` (`words-not-indexed`)
 */
export async function didYouMean(
  view: View,
  text: string,
  pause: Pause,
  { whileTyping = false }: DidYouMeanOptions = {},
): Promise<DidYouMean | undefined> {
  const asked = askedWords(text)
  if (asked.length === 0) return undefined
  const keys = [...new Set(asked.map(({ term }) => keyOfTerm(term)))].sort((a, b) => a - b)
  const { having, documents } = await new WordRetriever(view, DOCUMENT_KEY, pause).documentsWith(keys)
  const words: (WordCorrection & { asked: Asked })[] = []
  const written = normalForm(text).length
  for (const one of asked) {
    const own = having[keys.indexOf(keyOfTerm(one.term))] as number
    if (whileTyping ? own > 0 : own * RARE > documents) continue
    const isUnfinished = whileTyping && one.places.some(({ end }) => end === written)
    const suggestions = await likeWords(view, one, { own, isUnfinished }, pause)
    if (suggestions.length > 0) words.push({ word: one.written, documents: own, suggestions, asked: one })
  }
  if (words.length === 0) return undefined
  const changes = words.flatMap(({ suggestions: [best], asked: { places } }) =>
    places.map((place) => ({ ...place, word: (best as KnownWord).word })),
  )
  return {
    text: replaced(normalForm(text), changes),
    words: words.map(({ word, documents: own, suggestions }) => ({ word, documents: own, suggestions })),
  }
}

/** The words of letters alone that are long enough, each once; a prefix is not finished yet. */
function askedWords(text: string): Asked[] {
  const analyzer = documentAnalyzer()
  const byWord = new Map<string, Asked>()
  const normal = normalForm(text).trimEnd()
  const hasPrefix = analyzer.query(text).prefix !== undefined
  eachWord(normal, (written, start, end) => {
    if (hasPrefix && end === normal.length - 1) return
    const folded = fold(written)
    if (!/^[\p{L}\p{M}]+$/u.test(folded) || Array.from(folded).length < LEAST_LETTERS) return
    const known = byWord.get(folded)
    if (known) known.places.push({ start, end })
    else if (byWord.size < MOST_WORDS)
      byWord.set(folded, { written, folded, term: analyzer.termOf(written), places: [{ start, end }] })
  })
  return [...byWord.values()]
}

/**
 * The best first; none if the word may be the beginning of another.
 * @param counted.own the documents that have the word in any of its forms
 */
async function likeWords(
  view: View,
  { folded, term }: Asked,
  { own, isUnfinished }: { own: number; isUnfinished: boolean },
  pause: Pause,
): Promise<KnownWord[]> {
  const analyzer = documentAnalyzer()
  const letters = Array.from(folded)
  const most = letters.length < LEAST_LETTERS_OF_TWO ? 1 : 2
  const weighted: (KnownWord & { weight: number })[] = []
  for (const known of await LiveWords.of(view, pause).startingWith(letters[0] as string)) {
    if (isUnfinished && known.word.startsWith(folded)) return []
    if (Math.abs(known.word.length - folded.length) > 2 * most || !/^[\p{L}\p{M}]+$/u.test(known.word)) continue
    const distance = editDistance(letters, Array.from(known.word), most)
    if (distance === 0 || distance > most || analyzer.termOf(known.word) === term) continue
    const weight = known.documents / EDIT_FACTOR ** distance
    if (weight > own) weighted.push({ ...known, weight })
  }
  return weighted
    .sort((a, b) => b.weight - a.weight || compareKeys(a.word, b.word))
    .slice(0, MOST_SUGGESTIONS)
    .map(({ word, documents }) => ({ word, documents }))
}

function replaced(text: string, changes: readonly { start: number; end: number; word: string }[]): string {
  let result = ''
  let at = 0
  for (const { start, end, word } of changes.toSorted((a, b) => a.start - b.start)) {
    result += text.slice(at, start) + word
    at = end
  }
  return result + text.slice(at)
}
