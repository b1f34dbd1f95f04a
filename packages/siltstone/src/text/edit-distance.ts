/**
 * How many letters have to be inserted, removed, replaced or exchanged with their neighbour to turn one word into another: the
 * optimal string alignment distance (Damerau 1964; each letter takes part in one edit at most), over code points.
 */

/** @param most a larger distance is not told apart @returns at most `most` + 1 */
export function editDistance(a: readonly string[], b: readonly string[], most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before = new Array<number>(b.length + 1).fill(0)
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = new Array<number>(b.length + 1)
    row[0] = i
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let distance = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (isSame ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, (before[j - 2] as number) + 1)
      row[j] = distance
      least = Math.min(least, distance)
    }
    // Two rows beyond the bound cannot lead below it again.
    if (least > most && Math.min(...last) > most) return most + 1
    before = last
    last = row
  }
  return Math.min(most + 1, last[b.length] as number)
}
