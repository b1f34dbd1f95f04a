/**
 * Cuts a text into words for a word index, the same on every machine: the longest runs of letters, marks, digits and `_`
 * of the text in Unicode's form NFKC. Scripts that are written without spaces between words, and Korean, whose words take
 * endings, are cut into overlapping pairs of characters; a single character stands for itself. A character is a code point
 * with the marks that follow it. No dictionary and no segmenter of the runtime is used, so only characters that a later
 * version of Unicode adds may be classed differently by another runtime.
 */

/** The longest word, in UTF-16 code units. The rest of a longer one is ignored. */
const LONGEST_WORD = 64

const SEPARATOR = 1
const LETTER = 2
const MARK = 3
const PAIRED = 4

const PAIRED_SCRIPTS =
  /^[\p{Script_Extensions=Han}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}\p{Script_Extensions=Bopomofo}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u

/** Classes of the code points, found when first needed; 0: not known yet. */
const classes = new Uint8Array(0x110000)

/** Shows where a word may be divided at the end of a line. */
const SOFT_HYPHEN = '\u00ad'

function classOf(character: string): number {
  if (/^\p{M}$/u.test(character) || character === SOFT_HYPHEN) return MARK
  if (!/^[\p{L}\p{N}_]$/u.test(character)) return SEPARATOR
  // Digits belong to several scripts, and are separated by spaces in all of them.
  return PAIRED_SCRIPTS.test(character) && !/^\p{Nd}$/u.test(character) ? PAIRED : LETTER
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the whole range of ASCII
  return /^[\x00-\x7f]*$/.test(text)
}

/** The text in whose code units the places of words are counted. */
export function normalForm(text: string): string {
  return isAscii(text) ? text : text.normalize('NFKC')
}

/** @param start of the word in the text's normal form, in code units @param end behind it, also of what was too long */
export type TakeWord = (word: string, start: number, end: number) => void

/** Calls `take` for each word, in order, as it is written; see `fold`. */
export function eachWord(text: string, take: TakeWord): void {
  const normal = normalForm(text)
  eachPlace(normal, (start, end, whole) => take(normal.slice(start, end), start, whole))
}

/** @param end behind what counts of the word @param whole behind all of it */
type TakePlace = (start: number, end: number, whole: number) => void

/** Takes characters of a script that is cut into pairs, which no separator separates. */
type TakeRun = (run: string, start: number, take: TakePlace) => void

/** Calls `take` for the place of each word of a text in its normal form, in order. */
export function eachPlace(normal: string, take: TakePlace, takeRun: TakeRun = eachPair): void {
  const { length } = normal
  let start = -1
  let isPaired = false
  for (let at = 0; at < length; ) {
    let point = normal.charCodeAt(at)
    if (point >= 0xd800 && point < 0xdc00) point = normal.codePointAt(at) as number
    const size = point > 0xffff ? 2 : 1
    let kind = classes[point] as number
    if (kind === 0) kind = classes[point] = classOf(String.fromCodePoint(point))
    if (kind !== MARK) {
      if (start >= 0 && (kind === SEPARATOR || (kind === PAIRED) !== isPaired)) {
        endWord(normal, start, at, isPaired, take, takeRun)
        start = -1
      }
      if (start < 0 && kind !== SEPARATOR) {
        start = at
        isPaired = kind === PAIRED
      }
    }
    at += size
  }
  if (start >= 0) endWord(normal, start, length, isPaired, take, takeRun)
}

function endWord(
  normal: string,
  start: number,
  end: number,
  isPaired: boolean,
  take: TakePlace,
  takeRun: TakeRun,
): void {
  if (isPaired) takeRun(normal.slice(start, end), start, take)
  else take(start, Math.min(end, start + LONGEST_WORD), end)
}

/** Whether the text is one character of a script that is cut into pairs. */
export function isPairedCharacter(text: string): boolean {
  const [first, ...others] = charactersOf(text)
  return (
    first === text && others.length === 0 && classOf(String.fromCodePoint(text.codePointAt(0) as number)) === PAIRED
  )
}

/** The characters of a run. */
export function charactersOf(run: string): string[] {
  return run.match(/[^\p{M}\u00ad][\p{M}\u00ad]*/gu) ?? []
}

function eachPair(run: string, start: number, take: TakePlace): void {
  const characters = charactersOf(run)
  if (characters.length === 1) take(start, start + run.length, start + run.length)
  let at = start
  for (let i = 1; i < characters.length; i++) {
    const first = (characters[i - 1] as string).length
    const end = at + first + (characters[i] as string).length
    take(at, end, end)
    at += first
  }
}

/**
 * Calls `take` for each word, in order, as it is written, and for each character where words are cut into pairs.
 * @param take told whether it is such a character, and whether it follows the one before it without a separator
 */
export function eachUnit(text: string, take: (unit: string, isPaired: boolean, isJoined: boolean) => void): void {
  const normal = normalForm(text)
  eachPlace(
    normal,
    (start, end) => take(normal.slice(start, end), false, false),
    (run) => {
      for (const [i, character] of charactersOf(run).entries()) take(character, true, i > 0)
    },
  )
}

/** The words of a query as they are written. A `*` behind the last one makes it a prefix. */
export function writtenWords(query: string): { words: string[]; prefix?: string } {
  const normal = normalForm(query).trimEnd()
  const words: string[] = []
  let endOfLast = -1
  eachPlace(normal, (start, end, whole) => {
    words.push(normal.slice(start, end))
    endOfLast = whole
  })
  const isPrefix = endOfLast === normal.length - 1 && normal.endsWith('*')
  const prefix = isPrefix ? words.pop() : undefined
  return prefix === undefined ? { words } : { words, prefix }
}

/** What the same word is written with and without: soft hyphens, vowel signs and points of Hebrew and Arabic, and the stroke that stretches Arabic words. */
const OPTIONAL =
  /[\u00ad\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]/g

/**
 * A word without the difference of upper and lower case, and without what is optional in its script. `ß` is `ss`, a final `ς` is `σ`,
 * and the Turkish `İ` and `ı` are `i`. Lower case comes first, because `ẞ` has no other upper case.
 */
export function fold(word: string): string {
  if (isAscii(word)) return word.toLowerCase()
  // What has nothing else stays as it is.
  const bare = word.replace(OPTIONAL, '') || word
  const lower = bare.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
  return lower.replace(/i\u0307+/g, 'i').normalize('NFKC')
}
