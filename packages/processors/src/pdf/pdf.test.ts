import { describe, expect, it } from 'vitest'
import { accessBytes } from '../access.ts'
import type { RandomAccess } from '../processor.ts'
import { collect, documentsOf } from '../testing/context.ts'
import { pageOfText, type PdfLine, writePdf } from '../testing/pdf-writer.ts'
import { pdfProcessor } from './pdf-processor.ts'

const sentence = (page: number, k: number) =>
  `Page ${page} tells in sentence ${k} how rivers carry sand and clay down to`
const bodyOf = (page: number) => Array.from({ length: 20 }, (_, k) => sentence(page, k))

/** 36 pages, a chapter of two pages under each heading, with a running head and a page number. */
const book = () => {
  const pages = Array.from({ length: 36 }, (_, k): PdfLine[] => [
    { text: 'On Rivers, second edition', size: 9, x: 72, y: 770 },
    ...pageOfText([...(k % 2 === 0 ? [`# Chapter ${k / 2 + 1} of rivers`] : []), ...bodyOf(k + 1)]),
    { text: `${k + 1}`, size: 9, x: 300, y: 30 },
  ])
  return writePdf(pages, { title: 'On Rivers' })
}

describe('PDF', () => {
  it('of 36 pages has every sentence on its page, under its heading', async () => {
    const { records, summary, heartbeats } = await collect(pdfProcessor, book())
    expect(summary).toMatchObject({
      contentType: 'application/pdf',
      metadata: { pages: 36, title: 'On Rivers' },
      steps: { text: { state: 'done', records: records.length } },
    })
    expect(heartbeats.length).toBeGreaterThanOrEqual(36)
    const all = records.map(({ document }) => document).join(' ')
    for (let page = 1; page <= 36; page++) for (const text of bodyOf(page)) expect(all).toContain(text)
    for (const { document, metadata } of records) {
      const pages = [...document.matchAll(/Page (\d+) tells/g)].map(([, page]) => Number(page))
      const first = metadata['page'] as number
      const last = (metadata['page_end'] as number | undefined) ?? first
      expect([Math.min(...pages), Math.max(...pages)]).toEqual([first, last])
      expect(metadata['heading']).toBe(`Chapter ${Math.ceil(first / 2)} of rivers`)
    }
    expect(all).not.toMatch(/second edition/)
  })

  it('keeps lines that differ by their numbers only, on pages of one layout', async () => {
    const pages = Array.from({ length: 8 }, (_, k): PdfLine[] => [
      { text: 'On Rivers', size: 9, x: 72, y: 770 },
      ...pageOfText([`Station ${k}`, ...Array.from({ length: 5 }, (_, line) => `Depth ${k * 5 + line} metres`)]),
      { text: `Page ${k + 1} of 8`, size: 9, x: 300, y: 30 },
    ])
    const all = documentsOf(await collect(pdfProcessor, writePdf(pages))).join(' ')
    for (let k = 0; k < 40; k++) expect(all).toContain(`Depth ${k} metres`)
    expect(all).toContain('Station 7')
    expect(all).not.toMatch(/On Rivers|of 8/)
  })

  it('is read by ranges', async () => {
    const whole = accessBytes(book())
    const reads: number[] = []
    const padded: RandomAccess = {
      ...whole,
      read: (offset, length) => (reads.push(length), whole.read(offset, length)),
    }
    await collect(pdfProcessor, padded)
    expect(Math.max(...reads)).toBeLessThanOrEqual(256 * 1024)
  })

  it('finds headings in the outline, and joins divided words', async () => {
    const lines = ['Where sand settles', 'The riv-', 'er slows down and drops what it car-', 'ries.']
    const bytes = writePdf([pageOfText(lines)], { outline: [{ title: '1.2 Where sand settles', page: 1 }] })
    const { records } = await collect(pdfProcessor, bytes)
    expect(records).toMatchObject([
      {
        document: 'The river slows down and drops what it carries.',
        metadata: { page: 1, heading: 'Where sand settles' },
      },
    ])
    expect(records[0]?.metadata['bbox']).toMatch(/^72,\d+,\d+,\d+$/)
  })

  it('of turned text has its paragraphs, with their places on the page', async () => {
    const lines = ['The river slows down', 'and drops what it carries.']
    for (const turn of [90, 180, 270] as const) {
      const steps = { 90: [14, 0], 180: [0, 14], 270: [-14, 0] }[turn] as [number, number]
      const [x, y] = { 90: [100, 100], 180: [500, 100], 270: [500, 600] }[turn] as [number, number]
      const page = lines.map((text, k) => ({ text, size: 11, x: x + k * steps[0], y: y + k * steps[1], turn }))
      const { records } = await collect(pdfProcessor, writePdf([page]))
      expect(records.map(({ document }) => document)).toEqual([lines.join(' ')])
      const box = String(records[0]?.metadata['bbox']).split(',').map(Number)
      const [left, bottom, right, top] = box as [number, number, number, number]
      // Two lines of about 130 points.
      const [short, long] = [right - left, top - bottom].toSorted((a, b) => a - b) as [number, number]
      expect([turn, short > 20 && short < 40, long > 100 && long < 160]).toEqual([turn, true, true])
      expect([turn, left >= 80 && right <= 520, bottom >= 80 && top <= 620]).toEqual([turn, true, true])
    }
  })

  it('with a form has what was typed into it', async () => {
    const fields = [
      { name: 'Name of the river', value: 'Elbe' },
      { name: 'Empty', value: '' },
      { name: 'Length', value: '1094 km' },
    ]
    const all = documentsOf(await collect(pdfProcessor, writePdf([pageOfText(['Report of a river'])], { fields })))
    expect(all.join(' ')).toMatch(/Report of a river.*Name of the river: Elbe.*Length: 1094 km/)
    expect(all.join(' ')).not.toContain('Empty')
  })

  it('says which pages are pictures', async () => {
    const { summary } = await collect(pdfProcessor, writePdf([[], pageOfText(bodyOf(2))]))
    expect(summary.steps['ocr']).toMatchObject({ state: 'skipped', reason: expect.stringContaining('1 of 2 pages') })
  })

  it('that is encrypted or damaged is refused with a reason', async () => {
    const locked = writePdf([pageOfText(['Secret.'])], { isLocked: true })
    await expect(collect(pdfProcessor, locked)).rejects.toMatchObject({ kind: 'invalid', code: 'encrypted' })
    const noise = new TextEncoder().encode(`%PDF-1.7\n${'noise '.repeat(100)}`)
    await expect(collect(pdfProcessor, noise)).rejects.toMatchObject({ kind: 'invalid', code: 'corrupt-file' })
  })

  it('that cannot be fetched is not called damaged', async () => {
    const bytes = book()
    const failing: RandomAccess = {
      sizeBytes: bytes.length,
      read: async () => Promise.reject(new Error('the bucket is away')),
    }
    await expect(collect(pdfProcessor, failing)).rejects.toThrow('the bucket is away')
  })

  it('with a wrong table of objects is read, and one that is cut off is refused', async () => {
    const text = new TextDecoder('latin1').decode(book())
    const bytes = (content: string) => Uint8Array.from(content, (character) => character.charCodeAt(0))
    const moved = bytes(text.replace(/startxref\n\d+/, 'startxref\n77'))
    expect(documentsOf(await collect(pdfProcessor, moved)).join(' ')).toContain('Page 36 tells')
    await expect(collect(pdfProcessor, bytes(text.slice(0, -3_000)))).rejects.toMatchObject({ code: 'corrupt-file' })
  })
})
