/** What of the optional parts is there, for those who want to know before a file needs it. */
import { loadSharp, NEEDS_SHARP } from './image/thumbnail.ts'
import { findFfmpeg, NEEDS_FFMPEG } from './host/ffmpeg.ts'
import type { ProcessorSettings } from './settings.ts'
import { installedTranscriber } from './speech/whisper-transcriber.ts'

export interface OptionalPart {
  /** What it is for: `thumbnails of images`. */
  name: string
  /** What does it; undefined where it is missing. */
  by?: string
  /** What is missing, and how to install it. */
  reason?: string
}

export async function optionalParts(settings: ProcessorSettings = {}): Promise<OptionalPart[]> {
  const ffmpeg = await findFfmpeg(settings)
  const transcriber = await installedTranscriber()
  return [
    part('thumbnails of images', (await loadSharp()) && 'sharp', NEEDS_SHARP),
    part('audio and video', ffmpeg?.name, NEEDS_FFMPEG),
    typeof transcriber === 'string'
      ? { name: 'speech', reason: transcriber }
      : { name: 'speech', by: `${transcriber.name} of @siltstone/transcriber-english` },
  ]
}

const part = (name: string, by: string | undefined, reason: string): OptionalPart =>
  by === undefined ? { name, reason } : { name, by }
