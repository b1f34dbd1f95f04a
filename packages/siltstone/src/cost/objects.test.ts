import { describe, expect, it } from 'vitest'
import { estimate } from './estimate.ts'
import { reportOf } from './report.ts'
import { DEFAULT_WORKLOAD, type Workload } from './workload.ts'

const nothing: Workload = {
  ...DEFAULT_WORKLOAD,
  records: 0,
  writes: 0,
  coldQueries: 0,
  warmQueries: 0,
  monitoring: false,
  compute: 'own',
}
const MIB = 1024 * 1024
const DAYS = 730 / 24
const only = { objectDays: DAYS, objectSweepsPerDay: 0 }

const quantitiesOf = (changes: Partial<Workload>, assumptions = {}) =>
  Object.fromEntries(
    estimate({ ...nothing, ...changes }, { ...only, ...assumptions }).quantities.map(({ item, activity, quantity }) => [
      `${activity}/${item}`,
      quantity,
    ]),
  )

describe('objects that become searchable, by hand', () => {
  it('cost requests and storage on an own machine', () => {
    // One PUT each, 9 and 13 requests to become searchable, and a month of 1 MB each.
    expect(quantitiesOf({ objects: 1_000, objectBytes: 1_000_000 })).toEqual({
      'objects/s3Put': 10_000,
      'objects/s3Get': 13_000,
      'objects/s3StorageGbMonth': expect.closeTo(1, 9),
    })
  })

  it('are looked at by each sweep while they are kept', () => {
    const used = quantitiesOf({ objects: 1_000, objectBytes: 1 }, { objectSweepsPerDay: 2 })
    expect(used['objects/s3Get']).toBeCloseTo(13_000 + 1_000 * 4 * 2 * DAYS, 6)
    const short = quantitiesOf({ objects: 1_000, objectBytes: 1_000_000 }, { objectDays: DAYS / 10 })
    expect(short['objects/s3StorageGbMonth']).toBeCloseTo(0.1, 9)
  })

  it('take the time of a function, messages, and the polling of their queue', () => {
    const used = quantitiesOf({ objects: 1_000, compute: 'lambda' }, { objectSeconds: 2, pollsAMonth: 100 })
    expect(used['objects/lambdaInvocation']).toBe(1_000)
    expect(used['objects/lambdaGbSecond']).toBe(2_000 * 2)
    expect(used['objects/sqsRequest']).toBe(3_000)
    expect(used['fixed/sqsRequest']).toBe(200)
    expect(used).not.toHaveProperty('objects/fargateVcpuHour')
    const watched = quantitiesOf({ objects: 1, compute: 'lambda', monitoring: true })
    const without = quantitiesOf({ objects: 0, compute: 'lambda', monitoring: true })
    expect((watched['fixed/alarm'] as number) - (without['fixed/alarm'] as number)).toBe(6)
  })
})

describe('recordings, by hand', () => {
  const recordings = { recordings: 100, recordingMinutes: 10, recordingBytes: 16 * MIB, speech: 'none' as const }

  it('are uploaded in parts, and have a thumbnail for each scene', () => {
    const used = quantitiesOf(recordings, { scenesPerMinute: 2, thumbnailBytes: 1_000, thumbnailMonths: 10 })
    // Begun, two parts, completed; searchable; 20 thumbnails.
    expect(used['objects/s3Put']).toBe(100 * (4 + 9 + 20))
    expect(used['objects/s3Get']).toBe(100 * (1 + 13))
    expect(used['objects/s3StorageGbMonth']).toBeCloseTo((100 * 16 * MIB + 100 * 20 * 1_000 * 10) / 1e9, 9)
  })

  it('are handed to a function of their own, and take its time', () => {
    const used = quantitiesOf(
      { ...recordings, speech: 'model', compute: 'lambda' },
      { sceneSecondsPerMinute: 1, speechSecondsPerMinute: 4, objectSeconds: 1, scenesPerMinute: 1 },
    )
    expect(used['objects/lambdaInvocation']).toBe(200)
    // 100 × 10 minutes × 5 s of 4 GB.
    expect(used['objects/lambdaGbSecond']).toBe(100 * 50 * 4)
    expect(used['objects/lambdaDiskGbSecond']).toBe((100 * 50 * (10_240 - 512)) / 1_024)
    expect(used['objects/sqsRequest']).toBe(600)
    expect(used['objects/s3Put']).toBe(100 * (4 + 9 + 10 + 4))
    expect(used).not.toHaveProperty('objects/fargateVcpuHour')
  })

  it('begin again at a task of Fargate when the time of the function is over', () => {
    const used = quantitiesOf(
      { ...recordings, compute: 'lambda' },
      { sceneSecondsPerMinute: 120, taskStartSeconds: 30, scenesPerMinute: 1 },
    )
    expect(used['objects/lambdaGbSecond']).toBe(100 * 900 * 4)
    const hours = (100 * (1_200 + 30)) / 3_600
    expect(used['objects/fargateVcpuHour']).toBeCloseTo(hours * 4, 9)
    expect(used['objects/fargateGbHour']).toBeCloseTo(hours * 8, 9)
    expect(used['objects/fargateDiskGbHour']).toBeCloseTo(hours * 30, 9)
    expect(used['objects/publicAddressHour']).toBeCloseTo(hours, 9)
  })

  it('begin there when they are large, for a minute at least', () => {
    const used = quantitiesOf(
      { ...recordings, recordingBytes: 3e9, compute: 'lambda' },
      { sceneSecondsPerMinute: 0.1, taskStartSeconds: 1 },
    )
    expect(used).not.toHaveProperty('objects/lambdaDiskGbSecond')
    expect(used['objects/fargateVcpuHour']).toBeCloseTo((100 * 60 * 4) / 3_600, 9)
  })

  it('are written by Transcribe in jobs of two minutes, each of which costs a quarter of a minute at least', () => {
    const minutes = (recordingMinutes: number) =>
      quantitiesOf({ ...recordings, recordingMinutes, speech: 'transcribe' })['objects/transcribeMinute']
    expect([minutes(10), minutes(0.1), minutes(2.1), minutes(0)]).toEqual([
      1_000,
      25,
      expect.closeTo(225, 9),
      undefined,
    ])
    const ten = quantitiesOf({ ...recordings, speech: 'transcribe' })['objects/s3Put'] as number
    expect(ten - (quantitiesOf(recordings)['objects/s3Put'] as number)).toBe(100 * 5 * 2)
  })

  it('have a cost per thousand, which leaves the cost of a stored GB alone', () => {
    const report = reportOf({ ...nothing, records: 1_000_000, recordings: 1_000, speech: 'transcribe' })
    expect(report.unitCosts.usdPer1000Objects).toBeCloseTo(report.bill.activities.objects, 9)
    expect(report.bill.services['Transcribe']).toBeCloseTo(240, 9)
    expect(report.unitCosts.usdPerGbKept).toBeCloseTo(0.023, 12)
  })
})
