import { describe, expect, it } from 'vitest'
import { calibrationLength, decodeCalibration, encodeCalibration, thetaFor, UNCALIBRATED } from './calibration.ts'
import { USUAL_FLATNESS } from './flatness.ts'

const simple = {
  recalls: [0.9, 0.99],
  neighbours: [10, 100],
  theta: [
    [2, 4],
    [8, 32],
  ],
  usualNear: 50,
  flatness: USUAL_FLATNESS,
}

describe('θ', () => {
  it('is what was measured', () => {
    expect(thetaFor(simple, 0.9, 10)).toBeCloseTo(2)
    expect(thetaFor(simple, 0.99, 100)).toBeCloseTo(32)
  })

  it('is linear in the logarithms in between, and beyond', () => {
    expect(thetaFor(simple, 0.9, Math.sqrt(1_000))).toBeCloseTo(Math.sqrt(8))
    // One miss in 31.6 is half way from one in 10 to one in 100.
    expect(thetaFor(simple, 1 - 1 / Math.sqrt(1_000), 10)).toBeCloseTo(4)
    expect(thetaFor(simple, 0.9, 1)).toBeCloseTo(1)
    expect(thetaFor(simple, 0.9, 1_000)).toBeCloseTo(8)
    expect(thetaFor(simple, 0.999, 10)).toBeCloseTo(32)
  })

  it('grows neither too little nor too much beyond the most neighbours', () => {
    const flat = { ...simple, theta: simple.theta.map(([first = 0]) => [first, first]) }
    expect(thetaFor(flat, 0.9, 10_000)).toBeCloseTo(2 * 100 ** 0.25)
    const steep = { ...simple, theta: simple.theta.map(([first = 0]) => [first, first * 1_000]) }
    expect(thetaFor(steep, 0.9, 1_000)).toBeCloseTo(2_000 * 10)
  })
})

describe('the stored form', () => {
  it('is read as it was written', () => {
    const floats = encodeCalibration(simple)
    expect(floats).toHaveLength(calibrationLength(2, 2))
    const read = decodeCalibration(floats, 2, 2, USUAL_FLATNESS)
    expect(read?.theta).toEqual(simple.theta)
    expect(read?.recalls[0]).toBeCloseTo(0.9, 6)
    expect(read?.neighbours).toEqual(simple.neighbours)
    expect(read?.usualNear).toBe(50)
    const many = UNCALIBRATED.neighbours.length
    expect(
      decodeCalibration(encodeCalibration(UNCALIBRATED), UNCALIBRATED.recalls.length, many, USUAL_FLATNESS),
    ).toBeDefined()
  })

  it.each([
    ['recalls that do not ascend', { ...simple, recalls: [0.9, 0.9] }],
    ['a recall of 1', { ...simple, recalls: [0.9, 1] }],
    ['a recall of 0', { ...simple, recalls: [0, 0.9] }],
    ['a usual N of 0', { ...simple, usualNear: 0 }],
    ['less than one neighbour', { ...simple, neighbours: [0.5, 10] }],
    [
      'a θ of 0',
      {
        ...simple,
        theta: [
          [2, 4],
          [0, 32],
        ],
      },
    ],
    [
      'a θ that is no number',
      {
        ...simple,
        theta: [
          [2, Number.NaN],
          [8, 32],
        ],
      },
    ],
    [
      'an infinite θ',
      {
        ...simple,
        theta: [
          [2, 4],
          [8, Number.POSITIVE_INFINITY],
        ],
      },
    ],
  ])('is refused with %s', (_, calibration) => {
    expect(decodeCalibration(encodeCalibration(calibration), 2, 2, USUAL_FLATNESS)).toBeUndefined()
  })
})
