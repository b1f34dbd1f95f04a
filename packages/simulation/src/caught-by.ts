/**
 * For each mutant that was caught, a seed whose history catches it; for those in `NEEDS_NO_LEASE`, without leases. With
 * the real code these histories must pass. Unit tests catch the other mutants: docs/explanation/reliability.md.
 */
export const CAUGHT_BY: Readonly<Record<string, number>> = {
  'absent-input-ignored': 80_000_214,
  'ambiguous-412-taken-for-lost': 80_000_003,
  'catalog-without-compare-and-swap': 80_000_167,
  'collected-manifest-taken-for-damage': 80_000_038,
  'collected-snapshot-taken-for-damage': 80_002_275,
  'continues-without-progress': 80_000_008,
  'deletion-leaves-the-log-open': 80_000_000,
  'entries-listed-before-inbox': 80_000_044,
  'entry-gone-taken-for-lost': 7_000_853,
  'fold-rebased-across-fence': 80_000_158,
  'fork-shown-before-its-pointer': 80_000_002,
  'fork-without-pin': 80_000_002,
  'gc-without-fence': 80_000_000,
  'gc-without-grace': 80_000_002,
  'gc-without-pins': 80_000_000,
  'given-up-fork-answered': 80_000_201,
  'gone-delta-dropped-from-the-view': 80_000_023,
  'handover-listed-before-last-entry-known': 80_000_003,
  'handover-under-a-new-ulid': 80_000_002,
  'inbox-deleted-after-unknown-put': 80_000_061,
  'inbox-deleted-before-put-settled': 80_000_003,
  'inbox-keys-forgotten': 80_000_120,
  'inbox-not-listed-before-a-write': 80_000_003,
  'inline-and-inbox-both-applied': 80_000_007,
  'inline-before-own-order-swapped': 80_000_003,
  'late-answer-believed': 80_000_010,
  'mention-forgotten-at-first-deletion': 80_000_000,
  'merge-forgets-late-deletions': 80_000_267,
  'merge-rebased-across-fence': 80_000_011,
  'name-taken-from-its-owner': 80_000_020,
  'no-compare-and-swap': 80_000_001,
  'no-staleness-rule': 80_000_010,
  'overlay-join-first-value-wins': 80_001_870,
  'no-timer': 80_000_006,
  'owner-in-the-middle-let-go': 720_088_269,
  'peel-without-bitmap': 80_000_013,
  'pin-dropped-without-tombstone': 80_002_583,
  'pointer-before-manifest': 80_000_000,
  'rest-of-the-inbox-left-behind': 80_000_009,
  'second-mention-applied': 80_000_008,
  'step-larger-than-S': 80_000_013,
  'taken-copy-without-etag': 80_000_124,
  'unknown-put-retried-at-next-number': 80_000_005,
  'watermark-too-high': 80_000_000,
}

export const NEEDS_NO_LEASE: ReadonlySet<string> = new Set([
  'fold-rebased-across-fence',
  'gc-without-fence',
  'given-up-fork-answered',
  'merge-rebased-across-fence',
  'pin-dropped-without-tombstone',
])

/** Seeds that found mistakes in the real code. */
export const FOUND: readonly { seed: number; withoutLease: 0 | 1 }[] = [
  { seed: 500_000_913, withoutLease: 1 },
  { seed: 500_001_372, withoutLease: 1 },
  { seed: 700_018_959, withoutLease: 0 },
  { seed: 830_012_485, withoutLease: 1 },
  { seed: 930_037_120, withoutLease: 1 },
  { seed: 930_054_508, withoutLease: 1 },
  { seed: 910_086_963, withoutLease: 1 },
]
