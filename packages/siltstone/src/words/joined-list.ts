/** The lists of several words as that of one: of rows that have any of them, with how often they have any. */
import { PostingList, wordBound } from '../word-index/posting-list.ts'

/**
 * @param lists of one segment
 * @param lengths words of each row's document, plus 1
 * @returns undefined if no row has any of the words
 */
export function joinedList(
  lists: readonly (PostingList | undefined)[],
  lengths: ArrayLike<number>,
): PostingList | undefined {
  const there = lists.filter((list) => list !== undefined)
  const [only] = there
  if (there.length <= 1) return only
  const frequencies = new Uint32Array(lengths.length)
  for (const list of there)
    list.each((row, repetitions) => {
      frequencies[row] = (frequencies[row] as number) + repetitions + 1
    })
  const count = frequencies.reduce((sum, frequency) => sum + (frequency > 0 ? 1 : 0), 0)
  const rows = new Uint32Array(count)
  const payloads = new Uint32Array(count)
  let at = 0
  for (let row = 0; row < frequencies.length; row++) {
    const frequency = frequencies[row] as number
    if (frequency === 0) continue
    rows[at] = row
    payloads[at++] = frequency - 1
  }
  return PostingList.of(rows, payloads, false, (some, repetitions) => {
    let most = 0
    let shortest = Number.POSITIVE_INFINITY
    for (let i = 0; i < some.length; i++) {
      most = Math.max(most, (repetitions[i] as number) + 1)
      shortest = Math.min(shortest, (lengths[some[i] as number] as number) - 1)
    }
    return wordBound(most, shortest)
  })
}
