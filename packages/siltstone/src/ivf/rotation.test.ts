import { expect, it } from 'vitest'
import { paddedDimension, rotationSigns } from './rotation.ts'

it('pads to multiples of 64', () => {
  expect([1, 64, 65, 384, 1_000].map(paddedDimension)).toEqual([64, 64, 128, 384, 1_024])
})

it('gives splitmix64, so that files written elsewhere have the same rotation', () => {
  // The first outputs of the published generator for seed 1234567.
  const signs = rotationSigns(1_234_567, 64)
  const view = new DataView(signs.buffer)
  expect([0, 8, 16].map((at) => view.getBigUint64(at, true))).toEqual([
    6_457_827_717_110_365_317n,
    3_203_168_211_198_807_973n,
    9_817_491_932_198_370_423n,
  ])
  expect(rotationSigns(7, 384)).toHaveLength(144)
})
