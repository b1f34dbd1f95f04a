/** For each mutant a seed whose history catches it. Run with the real code they must pass: regressions of what they found. */
export const CAUGHT_BY: Readonly<Record<string, number>> = {
  'ambiguous-412-taken-for-lost': 80_000_005,
  'collected-manifest-taken-for-damage': 80_000_038,
  'collection-without-grace': 80_000_002,
  'collection-without-pins': 80_000_000,
  'entry-gone-taken-for-lost': 7_000_003,
  'fork-without-pin': 80_000_002,
  'inbox-keys-forgotten': 80_000_017,
  'inbox-not-listed-before-a-write': 80_000_003,
  'late-answer-believed': 80_000_010,
  'no-compare-and-swap': 80_000_000,
  'no-staleness-rule': 80_000_010,
  'pointer-before-manifest': 80_000_000,
  'rest-of-the-inbox-left-behind': 80_000_009,
  'second-mention-applied': 80_000_041,
  'unknown-put-retried-at-next-number': 80_000_005,
  'watermark-too-high': 80_000_000,
}
