import { describe, expect, it } from 'vitest'
import { readCTranslate2 } from './ctranslate2.ts'
import { FREQUENCIES, MEL_BANDS, melFilters } from './mel-filters.ts'
import { TENSORS } from './whisper-names.ts'

/** A file with a matrix of two rows, and a number of another type. */
function weights(version = 6): Uint8Array {
  const bytes: number[] = []
  const uint32 = (value: number) => void bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24)
  const text = (value: string) => void bytes.push(value.length + 1, 0, ...Buffer.from(value, 'latin1'), 0)
  uint32(version)
  text('WhisperSpec')
  uint32(3)
  uint32(2)
  text('encoder/conv1/weight')
  bytes.push(2)
  uint32(2)
  uint32(1)
  bytes.push(4)
  uint32(4)
  bytes.push(0x00, 0x3c, 0x00, 0xc0)
  text('encoder/num_heads')
  bytes.push(0, 1)
  uint32(1)
  bytes.push(6)
  return Uint8Array.from(bytes)
}

describe('weights of CTranslate2', () => {
  it('are read by name, with their shapes', () => {
    const { shape, bytes } = readCTranslate2(weights()).get('encoder/conv1/weight') ?? {}
    expect(shape).toEqual([2, 1])
    expect([...(bytes ?? [])]).toEqual([0x00, 0x3c, 0x00, 0xc0])
    expect([...readCTranslate2(weights()).keys()]).toEqual(['encoder/conv1/weight'])
  })

  it('of another version, or cut off, are refused', () => {
    expect(() => readCTranslate2(weights(5))).toThrow(/version 5/)
    expect(() => readCTranslate2(weights().subarray(0, 60))).toThrow(/ends? inside|bounds/)
  })
})

describe('mel filters', () => {
  const filters = melFilters()
  const bandOf = (band: number) => [...filters.subarray(band * FREQUENCIES, (band + 1) * FREQUENCIES)]

  it('have an area of one each, up to the sampling of the triangles', () => {
    for (let band = 40; band < MEL_BANDS; band++)
      expect(Math.abs(bandOf(band).reduce((sum, height) => sum + height * 40, 0) - 1)).toBeLessThan(0.1)
  })

  it('rise in their middle frequency, and ignore the constant part', () => {
    const peaks = Array.from({ length: MEL_BANDS }, (_, band) => bandOf(band).indexOf(Math.max(...bandOf(band))))
    expect(peaks).toEqual(peaks.toSorted((a, b) => a - b))
    expect(bandOf(0)[0]).toBe(0)
    expect(peaks.at(-1)).toBeGreaterThan(190)
  })
})

describe('tensors', () => {
  it('are those of a model of four layers a side, each named once', () => {
    expect(new Set(TENSORS.map(({ name }) => name)).size).toBe(TENSORS.length)
    // Encoder: 4 of convolutions, positions, norm; 15 a layer. Decoder: positions, tokens, norm; 24 a layer.
    expect(TENSORS.length).toBe(7 + 4 * 15 + 4 + 4 * 24)
    expect(TENSORS.filter(({ name }) => name.endsWith('key.bias'))).toEqual([])
  })
})
