/**
 * Lifecycle of the bucket. **Only the product decides which objects are no longer needed.** A rule that counted days on
 * current objects would delete writes that were acknowledged and are not folded yet (after a week without compaction), or
 * move the current snapshot to a class where it cannot be read at once. So no rule expires or archives current objects:
 * the garbage collector deletes objects that were folded or superseded, and the rules expire the noncurrent versions that
 * it leaves.
 *
 * | object | rule |
 * |---|---|
 * | deltas | the garbage collector deletes folded deltas; S3 removes them for good 7 days later |
 * | snapshots | tiered by access: the prices of STANDARD_IA and GLACIER_IR after 30 and 90 days without a read, with no fee and no delay to read; `tiering: 'age'`: these classes at these ages |
 * | old versions | kept for 90 days, except those of pointers |
 * | old versions, archived | for example `historyDays: 180, archiveHistoryAfterDays: 90` |
 *
 * A pointer gets a new version with each compaction, and ten are kept. A prefix cannot select pointers, so the rule covers
 * every key; a key that is written once never has ten versions.
 */
import type { input } from '@pulumi/aws/types/index.js'
import { checkInteger, checkOneOf, InvalidArgument } from './errors.ts'
import { DELTA_PREFIX, DUE_PREFIX, SNAPSHOT_PREFIX } from './keys.ts'

export type LifecycleRule = input.s3.BucketLifecycleConfigurationRule

export interface LifecycleOptions {
  /** Days during which a delta can be restored after the garbage collector deleted it. Default 7. */
  deltaHistoryDays?: number
  /** The same for all other objects, and for overwritten catalog objects. Default 90. */
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
  const deltaDays = checkInteger('lifecycle.deltaHistoryDays', options.deltaHistoryDays ?? 7, 1, 3_650)
  const tiering = checkOneOf('lifecycle.tiering', options.tiering ?? 'access', ['access', 'age', 'none'])
  const archiveDays = options.archiveHistoryAfterDays
  if (deltaDays > historyDays) {
    throw new InvalidArgument('lifecycle.deltaHistoryDays', deltaDays, `use at most historyDays, ${historyDays}`)
  }
  if (archiveDays !== undefined) {
    checkInteger('lifecycle.archiveHistoryAfterDays', archiveDays, 0, 3_650)
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
