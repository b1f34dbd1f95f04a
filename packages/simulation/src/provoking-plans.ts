/** Numbers of plans with which histories take the same steps again and again, so that a mutant of one is caught within few. */

/** Several compactors, and segments in several tiers, so that several merges are due at a time. */
export const SMALL_MERGES = {
  withoutLease: 0,
  compactors: 3,
  ids: 7,
  operations: 16,
  'compact.fanIn': 2,
  'compact.tierBaseBytes': 1_500,
  'compact.stepBytes': 8_000,
}

/** Several compactors, and a log of many small folds. */
export const SMALL_FOLDS = {
  withoutLease: 0,
  compactors: 3,
  ids: 7,
  operations: 20,
  'compact.foldBytes': 2_000,
}

/** Processes often stall until the garbage collector has deleted what they know of. */
export const LONG_STALLS = {
  'faults.stall': 0.04,
  stallMs: 200_000,
  collectors: 2,
  'compact.gcEveryMs': 5_000,
  compactors: 2,
  sessions: 4,
  operations: 20,
}

/** As before, more often, and nothing is kept for history. */
export const MANY_STALLS = {
  ...LONG_STALLS,
  'faults.stall': 0.08,
  stallMs: 120_000,
  compactors: 3,
  servers: 3,
  'compact.history.newest': 1,
  'compact.history.everyCommitMs': 0,
}

/** Compactors stall before they commit, while the garbage collector works. */
export const STALLED_FOLDS = {
  withoutLease: 1,
  'faults.stallAtCommit': 0.5,
  collectors: 3,
  compactors: 3,
  operations: 20,
  'compact.gcEveryMs': 1_000,
}

export const STALLED_MERGES = {
  ...SMALL_MERGES,
  withoutLease: 1,
  'faults.stallAtCommit': 0.3,
  'faults.stall': 0.02,
  collectors: 2,
  'compact.gcEveryMs': 5_000,
}

export const STALLED_FORKS = {
  withoutLease: 1,
  lifecycles: 3,
  collectors: 2,
  'compact.gcEveryMs': 5_000,
  'faults.stall': 0.04,
  stallMs: 120_000,
  compactors: 2,
}
