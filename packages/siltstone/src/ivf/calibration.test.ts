import { describe, expect, it } from 'vitest'
import {
  type Calibration,
  calibrationLength,
  decodeCalibration,
  encodeCalibration,
  NO_FACTORS,
  UNCALIBRATED,
} from './calibration.ts'
import { USUAL_FLATNESS } from './flatness.ts'
import { USUALLY_FAR } from './outside.ts'

const simple: Calibration = {
  recalls: [0.9, 0.99],
  neighbours: [10, 100],
  theta: [
    [2, 4],
    [8, 32],
  ],
  usualNear: [50, 60],
  flatness: [USUAL_FLATNESS, { nearly: 1.3, exponent: 0.25 }],
  filters: {
    shares: [0.5, 0.25],
    far: [0.25, 0.75],
    factors: [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ],
    outside: [
      [
        [9, 10],
        [11, 12],
      ],
      [
        [13, 14],
        [15, 16],
      ],
    ],
  },
}
const layout = { recalls: 2, neighbours: 2, shares: 2, hasOutside: true, hasFar: true }

describe('the stored form', () => {
  it('is read as it was written', () => {
    const floats = encodeCalibration(simple)
    expect(floats).toHaveLength(calibrationLength(layout))
    const read = decodeCalibration(floats, layout)
    expect(read).toEqual({ ...simple, recalls: [expect.closeTo(0.9, 6), expect.closeTo(0.99, 6)] })
    const { recalls, neighbours } = UNCALIBRATED
    const without = { ...layout, recalls: recalls.length, neighbours: neighbours.length, shares: 0 }
    expect(decodeCalibration(encodeCalibration(UNCALIBRATED), without)?.filters).toEqual(NO_FACTORS)
  })

  it('told not what is far, and had one set of factors, in earlier versions', () => {
    const { far: _, ...told } = simple.filters
    const floats = encodeCalibration({ ...simple, filters: { ...told, far: [] } })
    const earlier = { ...layout, hasFar: false }
    expect(floats).toHaveLength(calibrationLength(earlier))
    const far = [USUALLY_FAR, USUALLY_FAR]
    expect(decodeCalibration(floats, earlier)?.filters).toEqual({ ...told, far })
    const first = { ...earlier, hasOutside: false }
    expect(floats.subarray(0, -8)).toHaveLength(calibrationLength(first))
    const { filters } = decodeCalibration(floats.subarray(0, -8), first) ?? {}
    expect(filters).toEqual({ ...told, far, outside: told.factors })
  })

  it('had one usual N and one flatness in earlier versions', () => {
    const floats = Float32Array.of(0.5, 1, 10, 2, 4, 50)
    const earlier = { recalls: 1, neighbours: 2, shares: 0, hasOutside: false, hasFar: false, common: USUAL_FLATNESS }
    expect(floats).toHaveLength(calibrationLength(earlier))
    expect(decodeCalibration(floats, earlier)).toEqual({
      recalls: [0.5],
      neighbours: [1, 10],
      theta: [[2, 4]],
      usualNear: [50, 50],
      flatness: [USUAL_FLATNESS, USUAL_FLATNESS],
      filters: NO_FACTORS,
    })
  })

  it.each([
    ['recalls that do not ascend', { ...simple, recalls: [0.9, 0.9] }],
    ['a recall of 1', { ...simple, recalls: [0.9, 1] }],
    ['a recall of 0', { ...simple, recalls: [0, 0.9] }],
    ['a usual N of 0', { ...simple, usualNear: [50, 0] }],
    ['a flatness that counts no cluster', { ...simple, flatness: [USUAL_FLATNESS, { nearly: 0.9, exponent: 0 }] }],
    ['an exponent above 1', { ...simple, flatness: [USUAL_FLATNESS, { nearly: 1.1, exponent: 1.5 }] }],
    ['shares that do not descend', { ...simple, filters: { ...simple.filters, shares: [0.5, 0.5] } }],
    ['a share of 1', { ...simple, filters: { ...simple.filters, shares: [1, 0.5] } }],
    [
      'a factor of 0',
      {
        ...simple,
        filters: {
          shares: [0.5],
          far: [0.5],
          factors: [
            [
              [0, 1],
              [1, 1],
            ],
          ],
          outside: [
            [
              [1, 1],
              [1, 1],
            ],
          ],
        },
      },
      1,
    ],
    [
      'a factor of 0 for queries outside',
      {
        ...simple,
        filters: { ...simple.filters, outside: simple.filters.factors.map((rows) => rows.map(() => [0, 1])) },
      },
    ],
    ['0 deviations outside', { ...simple, filters: { ...simple.filters, far: [0.5, 0] } }],
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
  ] as [string, Calibration, number?][])('is refused with %s', (_, calibration, shares = 2) => {
    expect(decodeCalibration(encodeCalibration(calibration), { ...layout, shares })).toBeUndefined()
  })
})
