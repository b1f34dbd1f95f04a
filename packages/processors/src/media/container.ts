/** What a container says of its recording: by mediabunny for mp4, mov, mkv, webm and audio files, by ffmpeg for the rest. */
import type { FlatMetadata, RandomAccess } from '../processor.ts'
import { corruptFile } from '../failures.ts'
import { matroskaTitle } from './matroska.ts'

export interface ContainerData {
  hasVideo: boolean
  hasAudio: boolean
  audioTracks: number
  /** The language of each stream of subtitles, '' if it is not said; those of mp4 are read otherwise. */
  subtitles: readonly string[]
  durationMs: number
  metadata: FlatMetadata
}

/** undefined if mediabunny does not know the container. */
export async function readContainer(source: RandomAccess): Promise<ContainerData | undefined> {
  const { ALL_FORMATS, CustomSource, Input, UnsupportedInputFormatError } = await import('mediabunny')
  using input = new Input({
    formats: ALL_FORMATS,
    source: new CustomSource({
      getSize: () => source.sizeBytes,
      read: async (start, end) => source.read(start, end - start),
      maxCacheSize: 8 * 1024 * 1024,
      prefetchProfile: 'network',
    }),
  })
  try {
    if (!(await input.canRead())) return undefined
    const video = await input.getPrimaryVideoTrack()
    const audio = await input.getPrimaryAudioTrack()
    const seconds = (await input.getDurationFromMetadata()) ?? (await lengthOf(input))
    const tags = await input.getMetadataTags()
    const metadata: FlatMetadata = {}
    const add = (name: string, value: string | number | null | undefined) => {
      if (value !== undefined && value !== null && value !== '' && value === value) metadata[name] = value
    }
    add('duration_ms', Math.round(seconds * 1_000))
    if (video) {
      add('width', await video.getDisplayWidth())
      add('height', await video.getDisplayHeight())
      add('rotation', (await video.getRotation()) || undefined)
      add('video_codec', await video.getCodec())
    }
    if (audio) {
      add('audio_codec', await audio.getCodec())
      add('channels', await audio.getNumberOfChannels())
      add('sample_rate_hz', await audio.getSampleRate())
      const language = await audio.getLanguageCode()
      add('language', language === 'und' ? undefined : language)
    }
    add('title', tags.title ?? matroskaTitle(await source.read(0, HEAD_BYTES)))
    add('artist', tags.artist)
    add('album', tags.album)
    add('genre', tags.genre)
    add('description', tags.description ?? tags.comment)
    add('created', tags.date && !Number.isNaN(tags.date.getTime()) ? tags.date.toISOString() : undefined)
    const durationMs = Math.max(0, Math.round(seconds * 1_000)) || 0
    const audioTracks = (await input.getAudioTracks()).length
    if (audioTracks > 1) add('audio_tracks', audioTracks)
    return { hasVideo: video !== null, hasAudio: audio !== null, audioTracks, subtitles: [], durationMs, metadata }
  } catch (error) {
    if (error instanceof UnsupportedInputFormatError) return undefined
    throw error
  }
}

const HEAD_BYTES = 8_192

/** Times of broadcasts do not begin with 0; players and ffmpeg count from their beginning. */
async function lengthOf(input: {
  computeDuration(): Promise<number>
  getFirstTimestamp(): Promise<number>
}): Promise<number> {
  return (await input.computeDuration()) - Math.max(0, await input.getFirstTimestamp())
}

/** The same from the lines that ffmpeg prints about its input. */
export function containerOfReport(report: string): ContainerData {
  const duration = /Duration: (\d+):(\d\d):(\d\d)\.(\d\d)/.exec(report)
  const line = /^\s*Stream #\d+:\d+(?:\[\w+\])?(?:\((\w+)\))?.*?: (Video|Audio|Subtitle): (\w+)(.*)$/gm
  const streams = [...report.matchAll(line)].map(([, language = '', kind, codec, rest]) => ({
    language: language === 'und' ? '' : language,
    kind,
    codec: codec as string,
    rest: rest ?? '',
  }))
  if (streams.length === 0) throw corruptFile(`ffmpeg finds no stream: ${report.trim().split('\n').at(-1) ?? ''}`)
  const of = (kind: string) => streams.filter((one) => one.kind === kind && !one.rest.includes('attached pic'))
  const [video] = of('Video')
  const audios = of('Audio')
  const [audio] = audios
  const [, hours = 0, minutes = 0, seconds = 0, hundredths = 0] = (duration ?? []).map(Number)
  const durationMs = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + hundredths * 10
  const size = /, (\d{2,5})x(\d{2,5})/.exec(video?.rest ?? '')
  const title = /^\s+title\s*: (.+)$/m.exec(report)?.[1]
  return {
    hasVideo: video !== undefined,
    hasAudio: audio !== undefined,
    audioTracks: audios.length,
    subtitles: of('Subtitle').map(({ language }) => language),
    durationMs,
    metadata: {
      duration_ms: durationMs,
      ...(video && { video_codec: video.codec }),
      ...(size && { width: Number(size[1]), height: Number(size[2]) }),
      ...(audio && { audio_codec: audio.codec }),
      ...(audios.length > 1 && { audio_tracks: audios.length }),
      ...(title !== undefined && { title: title.trim() }),
    },
  }
}
