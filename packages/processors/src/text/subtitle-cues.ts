/** Subtitles as text: SubRip (.srt) and WebVTT (W3C), and passages of their cues. */
import { joinParagraphs } from 'siltstone/passages'
import type { FlatMetadata, TranscriptSegment } from '../processor.ts'

/** The cues of a file, without markup, in the order of their times. Blocks that break the rules are left out. */
export function parseCues(text: string): TranscriptSegment[] {
  const cues: TranscriptSegment[] = []
  for (const block of text.replaceAll('\r\n', '\n').split(/\n[^\S\n]*\n+/)) {
    const lines = block.split('\n')
    const timing = lines.findIndex((line) => line.includes('-->'))
    if (timing < 0) continue
    const [from = '', to = ''] = (lines[timing] as string).split('-->')
    const startMs = timeOf(from)
    const endMs = timeOf(to.trim().split(/\s/)[0] ?? '')
    const words = plainCue(lines.slice(timing + 1).join(' '))
    if (startMs !== undefined && endMs !== undefined && endMs >= startMs && words !== '')
      cues.push({ startMs, endMs, text: words })
  }
  return cues.toSorted((a, b) => a.startMs - b.startMs)
}

/** `01:02:03,456`, `02:03.456` */
function timeOf(text: string): number | undefined {
  const match = /^\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*$/.exec(text)
  if (!match) return undefined
  const [, hours = '0', minutes, seconds, fraction] = match
  return (
    (Number(hours) * 60 + Number(minutes)) * 60_000 +
    Number(seconds) * 1_000 +
    Number((fraction as string).padEnd(3, '0'))
  )
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', nbsp: ' ', lrm: '', rlm: '', quot: '"' }

export const plainCue = (text: string): string =>
  text
    .replaceAll(/<[^<>]*>|\{\\[^{}]*\}/g, '')
    .replaceAll(/&([a-z]+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replaceAll(/\s+/g, ' ')
    .trim()

export interface TimedPassage {
  text: string
  startMs: number
  endMs: number
}

/** Silence after which a new passage begins. */
const PAUSE_MS = 3_000
const MAX_PASSAGE_MS = 30_000

/**
 * Joins segments into passages of about 350 characters and at most 30 s, cut at pauses and, if given, at the times in
 * `cutsMs` (scene cuts). Nothing is lost; a segment that crosses a cut stays in one piece, on the side where most of it is.
 */
export function timedPassages(segments: readonly TranscriptSegment[], cutsMs: readonly number[] = []): TimedPassage[] {
  const passages: TimedPassage[] = []
  let group: TranscriptSegment[] = []
  const flush = () => {
    const paragraphs = group.map(({ text, startMs, endMs }) => ({ text, start: startMs, end: endMs }))
    for (const { text, start, end } of joinParagraphs(paragraphs, { short: 'keep' }))
      passages.push({ text, startMs: start, endMs: end })
    group = []
  }
  for (const segment of segments) {
    const last = group.at(-1)
    const first = group[0]
    if (last && first) {
      const isCut = cutsMs.some((cutMs) => cutMs > middleMs(last) && cutMs <= middleMs(segment))
      if (isCut || segment.startMs - last.endMs >= PAUSE_MS || segment.endMs - first.startMs > MAX_PASSAGE_MS) flush()
    }
    // Subtitles that scroll repeat the line before.
    if (last?.text !== segment.text || group.length === 0) group.push(segment)
  }
  flush()
  return passages
}

const middleMs = ({ startMs, endMs }: TranscriptSegment) => (startMs + endMs) / 2

export const timeFields = ({ startMs, endMs }: { startMs: number; endMs: number }): FlatMetadata => ({
  start_ms: Math.round(startMs),
  end_ms: Math.round(endMs),
})
