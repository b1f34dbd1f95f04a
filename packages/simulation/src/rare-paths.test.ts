import { describe, expect, it } from 'vitest'
import { addTotals, noTotals } from './batch.ts'
import { parseOptions } from './options.ts'
import { neverTaken, RARE_PATHS } from './rare-paths.ts'
import { isGood, reportOf, textOf } from './report.ts'

const ALL = Object.fromEntries(RARE_PATHS.flatMap(({ marks }) => marks).map((mark) => [mark, 1]))

describe('rare paths', () => {
  it('must have been taken by a run that is long enough', () => {
    expect(neverTaken({}, 10, 'either')).toEqual([])
    expect(neverTaken({}, 1_000_000, 'either')).toEqual(RARE_PATHS)
    expect(neverTaken(ALL, 1_000_000, 'either')).toEqual([])
    const { 'engine: merge_fenced': _, ...rest } = ALL
    expect(neverTaken(rest, 1_000_000, 'without').map(({ what }) => what)).toEqual([
      'merge stopped by the fence of a collection',
    ])
  })

  it('of leases need leases', () => {
    const { 'lease taken over': _, ...rest } = ALL
    expect(neverTaken(rest, 1_000_000, 'without')).toEqual([])
    expect(neverTaken(rest, 1_000_000, 'with')).toHaveLength(1)
  })
})

describe('a report', () => {
  const options = parseOptions(['--seed', '7', '--histories', '100000', '--no-lease', '--workers', '2'])

  it('fails for a violation, for a path that was never taken, and for nothing done', () => {
    const totals = noTotals()
    addTotals(totals, { histories: 100_000, events: 5, simulatedMs: 9, marks: ALL, failures: [] })
    expect(isGood(reportOf(totals, options, 1_000))).toBe(true)
    expect(isGood(reportOf(noTotals(), options, 1_000))).toBe(false)
    const failed = { ...totals, failures: [{ seed: 9, promise: 'counts', message: 'counts: 1', traceHash: '' }] }
    expect(isGood(reportOf(failed, options, 1_000))).toBe(false)
    expect(textOf(reportOf(failed, options, 1_000))).toContain('FAILURE: seed 9: counts: 1')
    const { 'stray entry': _, ...marks } = ALL
    const text = textOf(reportOf({ ...totals, marks }, options, 1_000))
    expect(text).toContain('FAILURE: never taken in 100000 histories: stray entry below the watermark')
  })

  it('names the command that does it again', () => {
    expect(reportOf(noTotals(), options, 1).command).toBe('npm run simulate -- --seed 7 --histories 100000 --no-lease')
  })

  it('is asked for with numbers', () => {
    expect(parseOptions(['--set', 'faults.crash=0.5', '--lease']).overrides).toEqual({
      'faults.crash': 0.5,
      withoutLease: 0,
    })
    expect(() => parseOptions(['--seed', 'x'])).toThrow('--seed wants a number, not "x"')
    expect(() => parseOptions(['--lease', '--no-lease'])).toThrow('exclude each other')
    expect(() => parseOptions(['--unknown'])).toThrow('--unknown')
  })
})
