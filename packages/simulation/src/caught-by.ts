/** For each mutant a seed whose history catches it. Run with the real code they must pass: regressions of what they found. */
export const CAUGHT_BY: Readonly<Record<string, number>> = {
  'no-compare-and-swap': 30_000_003,
  'entry-gone-taken-for-lost': 7_000_003,
}
