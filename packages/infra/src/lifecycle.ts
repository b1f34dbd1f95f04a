/**
 * Lifecycle of the bucket. **Only the product decides which objects are no longer needed.** A rule that counted days on
 * current objects would delete writes that were acknowledged and are not folded yet (after a week without compaction), or
 * move the current snapshot to a class where it cannot be read at once. So no rule expires or archives current objects:
 * the garbage collector deletes objects that were folded or superseded, and the rules expire the noncurrent versions that
 * it leaves.
 *
 * | object | rule |
 * |---|---|
 * | deltas deleted after 7 days | folded deltas are deleted by the collector, and are gone for good 7 days later |
 * | old snapshots to STANDARD_IA at 30 days, GLACIER at 90 | by access: the same prices after 30 and 90 days without a read, and no fee, no delay to read (`tiering: 'age'`: STANDARD_IA and GLACIER_IR at these ages) |
 * | old versions kept for 90 days | yes, except pointers, deltas and files of snapshots (7 days after the collector deleted them) |
 * | old versions to GLACIER_IR at 90 days, expired at 180 | `historyDays: 180, archiveHistoryAfterDays: 90` |
 *
 * A file of a snapshot is told from a pointer or a manifest by its size: no prefix names segments alone.
 *
 * A pointer has a new version with each compaction. Ten are kept, because a prefix cannot name them: the rule is on
 * every key, and a key that is written once has no ten.
 */
import type { input } from '@pulumi/aws/types/index.js'
import { checkInteger, checkOneOf, InvalidArgument } from './errors.ts'
import { DELTA_PREFIX, DUE_PREFIX, SNAPSHOT_PREFIX } from './keys.ts'

export type LifecycleRule = input.s3.BucketLifecycleConfigurationRule

export interface LifecycleOptions {
  /** Days during which a delta can be restored after the garbage collector deleted it. Default 7. */
  deltaHistoryDays?: number
  /**
   * The same of the files of snapshots (segments, overlays, long lists). Default 7. Compaction rewrites a record several
   * times, so these are most of the bytes that were deleted; what a reader or a rollback may need is not deleted at all,
   * because pins and the history keep it.
   */
  segmentHistoryDays?: number
  /** The same of everything else: pointers, manifests, the catalog, embeddings. Default 90. */
  historyDays?: number
  /** Days after which deleted objects move to GLACIER_IR, which bills at least 90 days. Default: never. */
  archiveHistoryAfterDays?: number
  /**
   * Storage class of snapshots. `access` (default): INTELLIGENT_TIERING, reads are free. `age`: STANDARD_IA
   * after 30 days and GLACIER_IR after 90, reads are billed by the byte. `none`: STANDARD.
   */
  tiering?: 'access' | 'age' | 'none'
}

const POINTERS_KEPT = 10
/** Pointers and most manifests are smaller. What is kept of smaller files costs little. */
const SEGMENT_FILE_BYTES = 65_536
const GLACIER_IR_DAYS = 90

const TRANSITIONS: Record<'access' | 'age', LifecycleRule['transitions']> = {
  // After a day, because most files of a busy day are merged within it.
  access: [{ days: 1, storageClass: 'INTELLIGENT_TIERING' }],
  age: [
    { days: 30, storageClass: 'STANDARD_IA' },
    { days: GLACIER_IR_DAYS, storageClass: 'GLACIER_IR' },
  ],
}

/** @throws InvalidArgument for days that S3 would refuse, or would bill without keeping anything */
export function lifecycleRules(options: LifecycleOptions = {}): LifecycleRule[] {
  const historyDays = checkInteger('lifecycle.historyDays', options.historyDays ?? 90, 1, 3_650)
  const deltaDays = checkInteger(
    'lifecycle.deltaHistoryDays',
    options.deltaHistoryDays ?? Math.min(7, historyDays),
    1,
    3_650,
  )
  const segmentDays = checkInteger(
    'lifecycle.segmentHistoryDays',
    options.segmentHistoryDays ?? Math.min(7, historyDays),
    1,
    3_650,
  )
  if (segmentDays > historyDays) {
    throw new InvalidArgument('lifecycle.segmentHistoryDays', segmentDays, `use at most historyDays, ${historyDays}`)
  }
  const tiering = checkOneOf('lifecycle.tiering', options.tiering ?? 'access', ['access', 'age', 'none'])
  const archiveDays = options.archiveHistoryAfterDays
  if (deltaDays > historyDays) {
    throw new InvalidArgument('lifecycle.deltaHistoryDays', deltaDays, `use at most historyDays, ${historyDays}`)
  }
  if (archiveDays !== undefined) {
    // S3 refuses 0 for noncurrent versions.
    checkInteger('lifecycle.archiveHistoryAfterDays', archiveDays, 1, 3_650)
    if (historyDays < archiveDays + GLACIER_IR_DAYS) {
      throw new InvalidArgument(
        'lifecycle.archiveHistoryAfterDays',
        archiveDays,
        `GLACIER_IR bills ${GLACIER_IR_DAYS} days: set historyDays to ${archiveDays + GLACIER_IR_DAYS} or more`,
      )
    }
  }
  const rule = (id: string, prefix: string | undefined, actions: Partial<LifecycleRule>): LifecycleRule => ({
    id,
    status: 'Enabled',
    filter: prefix === undefined ? {} : { prefix },
    ...actions,
  })
  const expireAfter = (noncurrentDays: number) => ({ noncurrentVersionExpiration: { noncurrentDays } })
  return [
    rule('expire-deleted-deltas', DELTA_PREFIX, expireAfter(deltaDays)),
    {
      ...rule('expire-deleted-segments', undefined, expireAfter(segmentDays)),
      filter: { and: { prefix: SNAPSHOT_PREFIX, objectSizeGreaterThan: SEGMENT_FILE_BYTES } },
    },
    rule('expire-due-marks', DUE_PREFIX, expireAfter(1)),
    ...(tiering === 'none' ? [] : [rule('tier-snapshots', SNAPSHOT_PREFIX, { transitions: TRANSITIONS[tiering] })]),
    ...(archiveDays === undefined
      ? []
      : [
          rule('archive-history', undefined, {
            noncurrentVersionTransitions: [{ noncurrentDays: archiveDays, storageClass: 'GLACIER_IR' }],
          }),
        ]),
    rule('expire-history', undefined, expireAfter(historyDays)),
    rule('keep-ten-pointers', undefined, {
      noncurrentVersionExpiration: { noncurrentDays: 1, newerNoncurrentVersions: POINTERS_KEPT },
    }),
    rule('tidy', undefined, {
      expiration: { expiredObjectDeleteMarker: true },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    }),
  ]
}
