/**
 * Paths that a run must have taken. A batch in which one of them was never taken proves nothing about it, so the batch
 * fails if it is long enough that this cannot be chance.
 */
export interface RarePath {
  what: string
  /** Names of marks, any one of which suffices. */
  marks: readonly string[]
  /** The path is expected many times in this number of histories. */
  within: number
  /** Happens only with leases, or only without. */
  lease?: 'with' | 'without'
}

const path = (what: string, within: number, ...marks: string[]): RarePath => ({ what, within, marks })

export const RARE_PATHS: readonly RarePath[] = [
  path('ambiguous 412 on a log entry', 500, 'ambiguous 412: entry'),
  path('ambiguous 412 on a pointer', 500, 'ambiguous 412: pointer'),
  path('ambiguous 412 on a manifest', 500, 'ambiguous 412: manifest'),
  path('ambiguous 412 on an inbox delta', 500, 'ambiguous 412: inbox'),
  path('lost race for a log entry', 500, 'engine: log_races_lost'),
  path('put of an entry without a clear answer', 500, 'engine: log_puts_unsettled'),
  path('put of an entry answered after knowledge expired', 500, 'engine: log_puts_late'),
  path('stray entry below the watermark', 5_000, 'stray entry'),
  path('delta that vanished between listing and reading', 5_000, 'engine: vanished_inbox'),
  path('entry that vanished between listing and reading', 5_000, 'engine: vanished_log_entry'),
  path('void mention', 500, 'void mention'),
  path('delta taken into an entry', 500, 'delta taken inline'),
  path('delta copied for an entry', 500, 'delta copied'),
  path('inbox delta that landed again after its deletion', 500, 'inbox delta landed again after its deletion'),
  path('refused delta', 500, 'delta refused'),
  path('back-pressure', 500, 'engine: log_back_pressure'),
  path('lost commit', 500, 'engine: commits_lost'),
  path('rebased commit', 500, 'engine: commits_rebased'),
  path('rebase of a fold refused by watermark or epoch', 500, 'engine: fold_rebase_refused'),
  path('merge stopped by a reset', 10_000, 'engine: merge_rebase_refused'),
  path('reset', 500, 'reset'),
  path('reset over unfolded entries', 500, 'reset over unfolded entries'),
  path('fork', 500, 'fork published'),
  path('stalled fork ended by a tombstone', 30_000, 'stalled fork ended by a tombstone'),
  path('deleted collection', 500, 'collection deleted'),
  path('name used again', 500, 'name used again'),
  path('name that another client has', 500, 'contended name refused'),
  path('renamed collection', 1_000, 'collection renamed'),
  path('rename to a name that another collection has', 2_000, 'rename refused'),
  path('deleted database', 1_000, 'database deleted'),
  path('garbage collected', 500, 'garbage deleted'),
  path('delete that failed for some of its keys', 1_000, 'partial delete'),
  path('page of a state that is gone', 2_000, 'page gone'),
  path('point in time that is gone', 1_000, 'point in time gone'),
  path('conditional commit refused', 500, 'conditional commit: conditional-write-conflict'),
  path('segment with an index published', 500, 'indexed segments published: fold'),
  path('merge of indexed segments', 500, 'indexed segments published: merge'),
  path('invocation that ended early and goes on later', 2_000, 'invocation: continues'),
  path('invocation that ended before it committed anything', 2_000, 'engine: compaction_without_progress'),
  path('rows cut from a segment', 1_000, 'engine: merge_step_peel'),
  path('overlays joined', 10_000, 'engine: merge_step_overlays'),
  path('write refused by a full disk', 500, 'refused: disk-full'),
  path('write refused for lack of rights', 500, 'refused: access-denied'),
  path('damaged body noticed', 500, 'damage was noticed'),
  path('object of the catalog damaged at rest', 500, 'damaged at rest: id'),
  path('claim damaged at rest', 1_000, 'damaged at rest: name'),
  path('repair of the catalog that crashed', 500, 'repair of the catalog crashed'),
  path('damage that nothing else knows', 10_000, 'damage that nothing else knows'),
  path('deleted entry that was brought back', 500, 'restored: entry'),
  path('deleted file of a snapshot that was brought back', 500, 'restored: snapshot'),
  path('start that waited for the store', 500, 'start-up waited'),
  path('probe of the store', 500, 'store probed'),
  path('listing that missed a name', 500, 'listing missed a new name'),
  path('listing that showed a deleted name', 2_000, 'listing showed a deleted name'),
  path('crash', 500, 'process crashed'),
  path('request of a crashed process that landed', 500, 'request of a crashed process landed'),
  path('stall', 500, 'process stalled'),
  path('stepped wall clock', 500, 'wall clock stepped'),
  path('redelivered message', 500, 'queue: delivered again'),
  // With leases merges have different inputs, and the collector keeps them out.
  { ...path('merge stopped by the fence of a collection', 500, 'engine: merge_fenced'), lease: 'without' },
  { ...path('merge of which an input is gone', 1_000, 'engine: merge_overtaken'), lease: 'without' },
  { ...path('two merges at a time', 500, 'two merges claimed at a time'), lease: 'with' },
  { ...path('fold beside another one', 500, 'engine: folds_beside_others'), lease: 'with' },
  { ...path('lease taken over', 500, 'lease taken over'), lease: 'with' },
  { ...path('lease forced', 500, 'lease forced'), lease: 'with' },
  { ...path('busy lease', 500, 'engine: lease_busy'), lease: 'with' },
]

/** The paths that a run of this number of histories should have taken and has not. */
export function neverTaken(
  marks: Readonly<Record<string, number>>,
  histories: number,
  lease: 'with' | 'without' | 'either',
): RarePath[] {
  return RARE_PATHS.filter(
    (one) =>
      histories >= one.within &&
      (one.lease === undefined || lease === 'either' || one.lease === lease) &&
      one.marks.every((mark) => (marks[mark] ?? 0) === 0),
  )
}
