import { describe, expect, it } from 'vitest'
import { accessBytes, bufferedAccess } from './access.ts'
import { emailProcessor } from './email/email-processor.ts'
import { mediaProcessor } from './media/media-processor.ts'
import { officeProcessor } from './zip/office-processor.ts'
import { collect } from './testing/context.ts'
import { chooseProcessor } from './registry.ts'
import { htmlProcessor } from './text/html-processor.ts'
import { subtitleProcessor } from './text/subtitle-processor.ts'
import { textProcessor } from './text/text-processor.ts'
import fc from 'fast-check'

const all = [textProcessor, htmlProcessor, subtitleProcessor, emailProcessor([])]
const choose = async (text: string, type = '') =>
  (await chooseProcessor(all, accessBytes(new TextEncoder().encode(text)), type)).processor.name

describe('the choice of a processor', () => {
  it('goes by content, not by the stored type', async () => {
    expect(await choose('Just words.', 'text/html; charset=utf-8')).toBe('html')
    expect(await choose('Just words.', 'application/pdf')).toBe('text')
    expect(await choose('<!doctype html><p>x', 'text/plain')).toBe('html')
    expect(await choose('From: a\nTo: b\nSubject: c\n\nd')).toBe('email')
    expect(await choose('WEBVTT\n\n00:01.000 --> 00:02.000\nHi')).toBe('subtitles')
  })

  it('refuses what nothing reads', async () => {
    await expect(choose('\x7fELF\x02\x01')).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'unsupported-type',
      message: /x-executable/,
    })
  })
})

describe('buffered reads', () => {
  it('that fail are not taken for a damaged file', async () => {
    const away = new Error('the bucket is away')
    const failing = { sizeBytes: 1_000, read: async () => Promise.reject(away) }
    for (const processor of [officeProcessor, mediaProcessor({ ffmpeg: false })])
      await expect(collect(processor, failing)).rejects.toBe(away)
  })

  it('give the bytes of the source', async () => {
    const bytes = Uint8Array.from({ length: 1_000 }, (_, k) => k % 251)
    const source = bufferedAccess(accessBytes(bytes), 64, 3)
    await fc.assert(
      fc.asyncProperty(fc.nat(1_100), fc.nat(300), async (offset, length) => {
        expect(await source.read(offset, length)).toEqual(bytes.slice(offset, offset + length))
      }),
    )
  })
})
