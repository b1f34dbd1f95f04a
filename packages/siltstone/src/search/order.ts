/** Lower scores first, then earlier insertion; scores are numbers that can be compared. */
export function byScore(a: { score: number; ordinal: number }, b: { score: number; ordinal: number }): number {
  return a.score - b.score || a.ordinal - b.ordinal
}
