import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collect } from '../testing/context.ts'
import { parseCues, timedPassages } from './subtitle-cues.ts'
import { subtitleProcessor } from './subtitle-processor.ts'

describe('subtitles', () => {
  it('of both formats give cues without markup', () => {
    const srt =
      '1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Rivers</i> carry\r\nsand.\r\n\r\n2\r\n01:00:00,5 --> 01:00:01,000\r\n{\\an8}Sea.\r\n'
    expect(parseCues(srt)).toEqual([
      { startMs: 1_000, endMs: 2_500, text: 'Rivers carry sand.' },
      { startMs: 3_600_500, endMs: 3_601_000, text: 'Sea.' },
    ])
    const vtt =
      'WEBVTT\n\nNOTE no --\n\nSTYLE\n::cue {}\n\nid\n00:03.000 --> 00:04.000 align:start\n<v Ada>Silt &amp; clay\n\n00:05.000 --> 00:04.000\nbackwards\n'
    expect(parseCues(vtt)).toEqual([{ startMs: 3_000, endMs: 4_000, text: 'Silt & clay' }])
  })

  it('become passages with times', async () => {
    const { records, summary } = await collect(
      subtitleProcessor,
      'WEBVTT\n\n00:01.000 --> 00:02.000\nRivers\n\n00:02.100 --> 00:03.000\ncarry sand.\n\n00:20.000 --> 00:21.000\nLater.\n',
    )
    expect(records).toMatchObject([
      { kind: 'subtitle', document: 'Rivers carry sand.', metadata: { start_ms: 1_000, end_ms: 3_000 } },
      { document: 'Later.', metadata: { start_ms: 20_000, end_ms: 21_000 } },
    ])
    expect(summary.contentType).toBe('text/vtt')
  })

  it('lose no word, stay in order, and are cut where scenes are', () => {
    const segment = fc.record({
      gapMs: fc.integer({ min: 0, max: 5_000 }),
      ms: fc.integer({ min: 1, max: 8_000 }),
      text: fc.stringMatching(/^[a-z]{1,9}( [a-z]{1,9}){0,30}$/),
    })
    fc.assert(
      fc.property(fc.array(segment), fc.array(fc.integer({ min: 1, max: 100_000 })), (list, cutsMs) => {
        let atMs = 0
        const segments = list.map(({ gapMs, ms, text }, k) => {
          const startMs = atMs + gapMs
          atMs = startMs + ms
          return { startMs, endMs: atMs, text: `${text} ${k}` }
        })
        const passages = timedPassages(segments, cutsMs)
        expect(passages.map(({ text }) => text).join(' ')).toBe(segments.map(({ text }) => text).join(' '))
        for (const { startMs, endMs } of passages) {
          const crossed = segments
            .filter((s) => s.startMs >= startMs && s.endMs <= endMs)
            .slice(1)
            .filter((s, k, all) => cutsMs.some((cut) => cut <= s.startMs && cut > (all[k - 1]?.startMs ?? s.startMs)))
          expect(crossed).toEqual([])
        }
      }),
    )
  })
})
