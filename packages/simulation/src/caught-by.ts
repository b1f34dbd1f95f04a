/**
 * For each other mutant that was caught, a seed whose history caught it; for those in `NEEDS_NO_LEASE`, without leases. With
 * the real code these histories must pass. Whether a seed still catches its mutant is not tested: each change of a protocol
 * shifts the histories. A mutant with `provokedBy` (`mutants.ts`) is caught by almost any seed, so it has none here. Unit tests
 * catch the rest: docs/explanation/reliability.md.
 */
export const CAUGHT_BY: Readonly<Record<string, number>> = {
  'absent-input-ignored': 80_000_165,
  'ambiguous-412-taken-for-lost': 80_000_002,
  'continues-without-progress': 80_000_008,
  'deletion-leaves-the-log-open': 80_000_000,
  'entries-listed-before-inbox': 80_000_019,
  'entry-gone-taken-for-lost': 80_000_201,
  'fork-shown-before-its-pointer': 80_000_003,
  'gc-without-fence': 80_000_000,
  'gc-without-grace': 80_000_003,
  'gc-without-pins': 80_000_000,
  'gone-delta-dropped-from-the-view': 80_000_287,
  'handover-listed-before-last-entry-known': 80_000_003,
  'handover-under-a-new-ulid': 80_000_002,
  'inbox-deleted-before-put-settled': 80_000_002,
  'inbox-keys-forgotten': 80_001_053,
  'inbox-not-listed-before-a-write': 80_000_003,
  'inline-and-inbox-both-applied': 80_000_006,
  'inline-before-own-order-swapped': 80_000_003,
  'late-answer-believed': 80_000_010,
  'mention-forgotten-at-first-deletion': 80_000_002,
  'merge-rebased-across-reset': 80_002_868,
  'no-compare-and-swap': 80_000_001,
  'no-timer': 80_000_006,
  'overlay-join-first-value-wins': 80_002_050,
  'pin-dropped-without-tombstone': 80_000_468,
  'pointer-before-manifest': 80_000_000,
  'unknown-put-retried-at-next-number': 80_000_002,
  'unrecorded-entries-kept': 80_000_000,
  'watermark-too-high': 80_000_000,
}

export const NEEDS_NO_LEASE: ReadonlySet<string> = new Set(['gc-without-fence', 'pin-dropped-without-tombstone'])

/** Seeds that found mistakes in the real code. */
export const FOUND: readonly { seed: number; withoutLease: 0 | 1 }[] = [
  { seed: 500_000_913, withoutLease: 1 },
  { seed: 500_001_372, withoutLease: 1 },
  { seed: 700_018_959, withoutLease: 0 },
  { seed: 720_088_269, withoutLease: 0 },
  { seed: 830_012_485, withoutLease: 1 },
  { seed: 930_037_120, withoutLease: 1 },
  { seed: 930_054_508, withoutLease: 1 },
  { seed: 910_086_963, withoutLease: 1 },
  { seed: 1_844_141_551, withoutLease: 0 },
  { seed: 795_107_326, withoutLease: 1 },
  { seed: 197_953_203, withoutLease: 0 },
  { seed: 1_624_004_154, withoutLease: 0 },
  { seed: 2_000_000_784, withoutLease: 0 },
  { seed: 5_100_003_471, withoutLease: 0 },
]
