import { describe, expect, it } from 'vitest'
import { DELTA_PREFIX } from './keys.ts'
import { type LifecycleOptions, lifecycleRules } from './lifecycle.ts'

const rule = (id: string, options: LifecycleOptions = {}) => lifecycleRules(options).find((each) => each.id === id)
const EVERY: LifecycleOptions[] = [{}, { tiering: 'age' }, { historyDays: 180, archiveHistoryAfterDays: 90 }]

describe('lifecycle', () => {
  it.each(EVERY)('never expires a current object: %j', (options) => {
    for (const { expiration } of lifecycleRules(options)) {
      expect(expiration).toSatisfy(
        (value: unknown) => value === undefined || JSON.stringify(value) === '{"expiredObjectDeleteMarker":true}',
      )
    }
  })

  it.each(EVERY)('moves a current object only where it can be read at once: %j', (options) => {
    const classes = lifecycleRules(options).flatMap(({ transitions }) =>
      ((transitions as { storageClass: string }[] | undefined) ?? []).map(({ storageClass }) => storageClass),
    )
    for (const each of classes) expect(['INTELLIGENT_TIERING', 'STANDARD_IA', 'GLACIER_IR']).toContain(each)
  })

  it('expires deleted deltas after 7 days and everything else after 90', () => {
    expect(rule('expire-deleted-deltas')).toMatchObject({
      status: 'Enabled',
      filter: { prefix: DELTA_PREFIX },
      noncurrentVersionExpiration: { noncurrentDays: 7 },
    })
    expect(rule('expire-history')).toMatchObject({ filter: {}, noncurrentVersionExpiration: { noncurrentDays: 90 } })
  })

  it('forgets deleted files of snapshots after 7 days, and keeps small ones, which pointers are', () => {
    expect(rule('expire-deleted-segments')).toMatchObject({
      filter: { and: { prefix: 'snapshot/', objectSizeGreaterThan: 65_536 } },
      noncurrentVersionExpiration: { noncurrentDays: 7 },
    })
    expect(rule('expire-deleted-segments', { historyDays: 3 })?.noncurrentVersionExpiration).toEqual({
      noncurrentDays: 3,
    })
    const asked = rule('expire-deleted-segments', { segmentHistoryDays: 90 })
    expect(asked?.noncurrentVersionExpiration).toEqual({ noncurrentDays: 90 })
  })

  it('keeps ten old pointers, however often they change', () => {
    expect(rule('keep-ten-pointers')).toMatchObject({
      noncurrentVersionExpiration: { noncurrentDays: 1, newerNoncurrentVersions: 10 },
    })
  })

  it('removes incomplete uploads and expired delete markers', () => {
    expect(rule('tidy')).toMatchObject({
      expiration: { expiredObjectDeleteMarker: true },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    })
  })

  it('tiers snapshots by access, by age, or not', () => {
    expect(rule('tier-snapshots')?.transitions).toEqual([{ days: 1, storageClass: 'INTELLIGENT_TIERING' }])
    expect(rule('tier-snapshots', { tiering: 'age' })?.transitions).toEqual([
      { days: 30, storageClass: 'STANDARD_IA' },
      { days: 90, storageClass: 'GLACIER_IR' },
    ])
    expect(rule('tier-snapshots', { tiering: 'none' })).toBeUndefined()
  })

  it('archives old versions at 90 days and expires them at 180', () => {
    const options = { historyDays: 180, archiveHistoryAfterDays: 90 }
    expect(rule('archive-history', options)?.noncurrentVersionTransitions).toEqual([
      { noncurrentDays: 90, storageClass: 'GLACIER_IR' },
    ])
    expect(rule('expire-history', options)?.noncurrentVersionExpiration).toEqual({ noncurrentDays: 180 })
  })

  it('has no two rules with the same id', () => {
    const ids = lifecycleRules(EVERY[2]).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('refuses days that S3 would bill without need', () => {
    expect(() => lifecycleRules({ archiveHistoryAfterDays: 30 })).toThrow('set historyDays to 120 or more')
    expect(() => lifecycleRules({ archiveHistoryAfterDays: 0, historyDays: 180 })).toThrow('use an integer from 1')
    expect(() => lifecycleRules({ segmentHistoryDays: 100 })).toThrow('use at most historyDays, 90')
    expect(() => lifecycleRules({ deltaHistoryDays: 100 })).toThrow('use at most historyDays, 90')
    expect(() => lifecycleRules({ tiering: 'sometimes' as 'age' })).toThrow('use one of access, age, none')
  })
})
