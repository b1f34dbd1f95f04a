import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SectionDescriptor } from './descriptor.ts'
import { encodeDirectory, FragmentDirectory, PART_BLOCKS } from './fragment-directory.ts'
import { FRAGMENTS } from './fragments.ts'
import { SectionSource } from './source.ts'

const FIRST_BYTE = 24

/** A section of blocks that are nothing but their places, behind other bytes of its file. */
function sectionOf(blocks: readonly { rows: number; length: number }[], change?: { at: number; by: number }) {
  const { bytes, directory, params } = encodeDirectory(blocks)
  const blockBytes = blocks.reduce((sum, { length }) => sum + length, 0)
  const section: SectionDescriptor = {
    ...FRAGMENTS,
    file: 0,
    offset: FIRST_BYTE,
    length: blockBytes + bytes.length,
    params,
    directory: { ...directory, offset: FIRST_BYTE + blockBytes + directory.offset },
  }
  const file = new Uint8Array(FIRST_BYTE + section.length)
  file.set(bytes, FIRST_BYTE + blockBytes)
  if (change) file[FIRST_BYTE + blockBytes + (change.at % bytes.length)]! ^= change.by
  const read = async (_key: string, offset: number, length: number) => file.slice(offset, offset + length)
  const source = new SectionSource('id', [{ key: 'f', sizeBytes: file.length, crc32: '' }], read, { gapBytes: 0 })
  return new FragmentDirectory(
    source,
    section,
    blocks.reduce((sum, { rows }) => sum + rows, 0),
  )
}

const someBlocks = fc.array(
  fc.record({ rows: fc.integer({ min: 1, max: 300 }), length: fc.integer({ min: 5, max: 1e6 }) }),
  {
    minLength: 1,
    maxLength: 3 * PART_BLOCKS,
  },
)

it('tells where the block of each row lies', async () => {
  await fc.assert(
    fc.asyncProperty(someBlocks, fc.array(fc.nat(), { minLength: 1 }), async (blocks, picks) => {
      const directory = sectionOf(blocks)
      const whole = await directory.whole()
      expect(whole.blocks).toBe(blocks.length)
      blocks.forEach(({ rows, length }, i) => {
        expect((whole.firstRow[i + 1] as number) - (whole.firstRow[i] as number)).toBe(rows)
        expect((whole.offset[i + 1] as number) - (whole.offset[i] as number)).toBe(length)
      })
      const all = whole.firstRow[blocks.length] as number
      const rows = picks.map((pick) => pick % all)
      const found: number[] = []
      for (const { places, indices } of await sectionOf(blocks).partsOf(rows)) {
        const { firstBlock, firstRow, offset, blocks: count } = await places
        for (const i of indices) {
          const place = firstRow.findLastIndex((first) => first <= (rows[i] as number))
          expect(place).toBeLessThan(count)
          expect(offset[place]).toBe(whole.offset[firstBlock + place])
          found.push(i)
        }
      }
      expect(found.sort((a, b) => a - b)).toEqual(rows.map((_, i) => i))
    }),
  )
})

it('notices each changed byte', async () => {
  await fc.assert(
    fc.asyncProperty(someBlocks, fc.nat(), fc.integer({ min: 1, max: 255 }), async (blocks, at, by) => {
      await expect(sectionOf(blocks, { at, by }).whole()).rejects.toMatchObject({
        kind: 'corrupt',
        code: 'section-damaged',
      })
    }),
  )
})
