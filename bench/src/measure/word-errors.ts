/** Words that a transcript has wrong. */

export interface WordErrors {
  /** Words that were said. */
  words: number
  /** The least number of words to replace, insert and delete. */
  wrong: number
}

/** @param said, written normalised: words between spaces */
export function wordErrors(said: string, written: string): WordErrors {
  const [from, to] = [wordsOf(said), wordsOf(written)]
  let row = Array.from({ length: to.length + 1 }, (_, k) => k)
  for (const [at, word] of from.entries()) {
    const next = [at + 1]
    for (const [k, other] of to.entries())
      next.push(
        Math.min((row[k + 1] as number) + 1, (next[k] as number) + 1, (row[k] as number) + Number(word !== other)),
      )
    row = next
  }
  return { words: from.length, wrong: row[to.length] as number }
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

export const rateText = ({ words, wrong }: WordErrors): string => `${((wrong / words) * 100).toFixed(1)} %`
