/**
 * Subtitle tracks inside mp4 and mov (3GPP TS 26.245, `tx3g`): the table of samples by mp4box, the samples by range. Those of other
 * kinds are named, and not read.
 */
import { plainCue } from '../text/subtitle-cues.ts'
import type { RandomAccess, TranscriptSegment } from '../processor.ts'

export interface SubtitleTrack {
  /** ISO 639-2; '' if it is not said. */
  language: string
  cues: TranscriptSegment[]
}

const STEP_BYTES = 256 * 1024
/** A table of samples beyond this size belongs to a recording of days. */
const MAX_TABLE_BYTES = 512 * 1024 * 1024
const MAX_CUES = 100_000

/** Sample entries of subtitles: WebVTT and TTML (ISO/IEC 14496-30), closed captions, pictures. */
const OTHER_SUBTITLES = new Set(['wvtt', 'stpp', 'sbtt', 'c608', 'c708', 'mp4s'])

/** @returns `unread` names the kinds of tracks that are not read */
export async function tx3gTracks(
  source: RandomAccess,
  alive: () => Promise<void>,
): Promise<{ tracks: SubtitleTrack[]; unread: string[] }> {
  const { createFile, Log, MP4BoxBuffer } = await import('mp4box')
  const file = createFile(false)
  let found: { id: number; codec: string; language: string }[] | undefined
  file.onReady = ({ tracks }) => {
    found = tracks.map(({ id, codec, language }) => ({ id, codec, language }))
  }
  // Boxes that are not known or break the rules are passed over; without this, they would be printed.
  Log.error = () => undefined
  let readBytes = 0
  for (let at = 0; !found && at < source.sizeBytes && readBytes < MAX_TABLE_BYTES; ) {
    const bytes = (await source.read(at, STEP_BYTES)).slice()
    readBytes += bytes.length
    const next = file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(bytes.buffer, at))
    at = next !== undefined && next > at ? next : at + bytes.length
    await alive()
  }
  const tracks: SubtitleTrack[] = []
  const unread: string[] = []
  for (const { id, codec, language } of found ?? []) {
    const [entry = ''] = codec.split('.')
    if (OTHER_SUBTITLES.has(entry)) unread.push(entry)
    if (entry !== 'tx3g' && entry !== 'text') continue
    const cues: TranscriptSegment[] = []
    for (const sample of file.getTrackSamplesInfo(id).slice(0, MAX_CUES)) {
      const text = sampleText(await source.read(sample.offset, Math.min(sample.size, 65_538)))
      const startMs = (sample.cts / sample.timescale) * 1_000
      const endMs = ((sample.cts + sample.duration) / sample.timescale) * 1_000
      // Samples without text fill the gaps between the others.
      if (text !== '') cues.push({ startMs, endMs, text })
    }
    tracks.push({ language: language === 'und' ? '' : (language ?? ''), cues })
  }
  return { tracks, unread }
}

/** Two bytes of length, then UTF-8, or UTF-16 with a mark. */
function sampleText(bytes: Uint8Array): string {
  if (bytes.length < 2) return ''
  const length = ((bytes[0] as number) << 8) | (bytes[1] as number)
  const text = bytes.subarray(2, 2 + length)
  const isWide = text[0] === 0xfe && text[1] === 0xff
  return plainCue(new TextDecoder(isWide ? 'utf-16be' : 'utf-8').decode(text))
}
