import { describe, expect, it } from 'vitest'
import { attribute, binary, constant, type Domain, nary, support, supportOf, unary } from './domain.ts'

const RECORDS = 3
const found = (entries: [number, number][], byDefault: number | null = null) =>
  support(
    entries.map(([place]) => place),
    entries.map(([, score]) => score),
    byDefault,
    RECORDS,
  )
const scores = (domain: Domain) => supportOf(domain).map((place) => [place, domain.values[place]])

describe('domains', () => {
  const left = [
    [0, 1],
    [1, 2],
  ] as [number, number][]
  const right = [
    [1, 10],
    [2, 20],
  ] as [number, number][]

  it('intersect without defaults, and take the side that has none', () => {
    const sum = (l: Domain, r: Domain) => scores(nary('sum', [l, r], RECORDS))
    expect(sum(found(left), found(right))).toEqual([[1, 12]])
    expect(sum(found(left, 5), found(right))).toEqual([
      [1, 12],
      [2, 25],
    ])
    expect(sum(found(left), found(right, 5))).toEqual([
      [0, 6],
      [1, 12],
    ])
    expect(sum(found(left, 5), found(right, 5))).toEqual([
      [0, 6],
      [1, 12],
      [2, 25],
    ])
  })

  it('have the support only as their answer', () => {
    expect(scores(constant(1, RECORDS))).toEqual([])
    expect(scores(nary('sum', [], RECORDS))).toEqual([])
    expect(scores(binary('div', constant(1, RECORDS), found(left)))).toEqual([
      [0, 1],
      [1, 0.5],
    ])
    expect(scores(nary('mul', [found([], 4), found(left, 7)], RECORDS))).toEqual([
      [0, 4],
      [1, 8],
    ])
  })

  it('keep a default through a function', () => {
    const log = unary('log', found(left, Math.E))
    expect(scores(nary('sum', [log, found(right, 0)], RECORDS))).toEqual([
      [0, 0],
      [1, Math.fround(Math.fround(Math.log(2)) + 10)],
      [2, 21],
    ])
  })

  it('start minimum and maximum with the largest floats, and let a number win over NaN', () => {
    expect(nary('max', [], 1).values[0]).toBe(-3.4028234663852886e38)
    expect(nary('min', [], 1).values[0]).toBe(3.4028234663852886e38)
    const nan = unary('log', found([[0, -1]]))
    expect(scores(nary('max', [nan, constant(3, RECORDS)], RECORDS))).toEqual([[0, 3]])
    expect(scores(nary('min', [constant(3, RECORDS), nan], RECORDS))).toEqual([[0, 3]])
    expect(scores(nary('sum', [nan], RECORDS))).toEqual([[0, Number.NaN]])
  })

  it('round each step to 32 bits', () => {
    const tenth = constant(0.1, RECORDS)
    expect(scores(nary('sum', [found([[0, 0.2]]), tenth], RECORDS))).toEqual([
      [0, Math.fround(Math.fround(0.2) + Math.fround(0.1))],
    ])
  })

  it('leave out records without an attribute', () => {
    const ages = attribute([1, null, 3])
    expect(scores(nary('sum', [found(left), ages], RECORDS))).toEqual([[0, 2]])
    expect(scores(nary('sum', [found(left, 0), ages], RECORDS))).toEqual([[0, 2]])
    expect(scores(binary('sub', ages, found(right)))).toEqual([[2, -17]])
  })
})
