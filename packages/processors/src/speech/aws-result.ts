/**
 * What Amazon Transcribe writes: JSON whose `results` have the words one by one (`items`), times in seconds as texts, and in newer
 * answers segments (`audio_segments`). Without these, words are joined until a sentence ends or a pause comes.
 */
import { unavailable } from 'siltstone/passages'
import type { TranscriptSegment } from '../processor.ts'

const PAUSE_MS = 1_000
const SEGMENT_MS = 15_000

type Fields = Record<string, unknown>

/** @throws SiltstoneError `unavailable` (transcriber-unavailable) if it is none of that */
export function segmentsOfAwsResult(json: string, durationMs: number): TranscriptSegment[] {
  const results = resultsOf(json)
  const segments = listOf(results['audio_segments']).flatMap(segmentOf)
  const found = segments.length > 0 ? segments : joined(listOf(results['items']))
  const spoken = found.filter(({ text }) => text !== '').sort((a, b) => a.startMs - b.startMs)
  if (spoken.length > 0) return spoken
  const texts = listOf(results['transcripts']).map(({ transcript }) => textOf(transcript))
  const text = texts.join(' ').trim()
  return text === '' ? [] : [{ startMs: 0, endMs: durationMs, text }]
}

function resultsOf(json: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw unreadable(json, cause)
  }
  const results = isFields(value) ? value['results'] : undefined
  if (!isFields(results)) throw unreadable(json)
  return results
}

function segmentOf({ transcript, start_time: start, end_time: end }: Fields): TranscriptSegment[] {
  const startMs = msOf(start)
  if (startMs === undefined) return []
  return [{ startMs, endMs: Math.max(startMs, msOf(end) ?? startMs), text: textOf(transcript) }]
}

function joined(items: readonly Fields[]): TranscriptSegment[] {
  const segments: TranscriptSegment[] = []
  let open: TranscriptSegment | undefined
  for (const { type, alternatives, start_time: start, end_time: end } of items) {
    const content = textOf(listOf(alternatives)[0]?.['content'])
    const startMs = msOf(start)
    if (type === 'punctuation' || startMs === undefined) {
      if (open !== undefined) open.text += content
      if (/[.?!。？！]$/.test(content)) open = undefined
      continue
    }
    if (open !== undefined && (startMs - open.endMs > PAUSE_MS || startMs - open.startMs > SEGMENT_MS)) open = undefined
    if (open === undefined) {
      open = { startMs, endMs: startMs, text: '' }
      segments.push(open)
    }
    open.text += open.text === '' ? content : ` ${content}`
    open.endMs = Math.max(open.endMs, msOf(end) ?? startMs)
  }
  return segments
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])
const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')

function msOf(seconds: unknown): number | undefined {
  const ms = typeof seconds === 'string' || typeof seconds === 'number' ? Number(seconds) * 1_000 : Number.NaN
  return ms >= 0 && Number.isFinite(ms) ? ms : undefined
}

const unreadable = (json: string, cause?: unknown) =>
  unavailable('transcriber-unavailable', `The result of Amazon Transcribe cannot be read: ${json.slice(0, 100)}`, {
    cause,
  })
