/**
 * Audio and video: what the container says, subtitles, scenes with pictures, and what is spoken, each with its times.
 *
 * | step | needs | without it |
 * |---|---|---|
 * | `container` | nothing for mp4, mov, mkv, webm and audio files; ffmpeg for avi and others | `unsupported`, code `needs-ffmpeg` |
 * | `subtitles` | nothing for mp4, mov and side-car files; ffmpeg for mkv and others | skipped |
 * | `scenes` | ffmpeg | skipped |
 * | `transcript` | ffmpeg, and a transcriber of the caller | skipped |
 */
import { join } from 'node:path'
import { isSiltstoneError, unsupported } from 'siltstone/passages'
import { bufferedAccess, type WatchedAccess } from '../access.ts'
import { contentType } from '../detect/content-type.ts'
import { corruptFile, parsing } from '../failures.ts'
import { copyToFile, ffmpeg, ffmpegReport, ffmpegText, type Ffmpeg, findFfmpeg, NEEDS_FFMPEG } from '../host/ffmpeg.ts'
import type { FlatMetadata, ProcessContext, Processor, Summary, TranscriptSegment } from '../processor.ts'
import type { ProcessorSettings } from '../settings.ts'
import { NEEDS_TRANSCRIBER } from '../speech/whisper-transcriber.ts'
import { Steps } from '../steps.ts'
import { parseCues, timedPassages, timeFields } from '../text/subtitle-cues.ts'
import { readCues } from '../text/subtitle-processor.ts'
import { type ContainerData, containerOfReport, readContainer } from './container.ts'
import { findCuts, pictureOf, type Scene, scenesOf } from './scenes.ts'
import { SAMPLE_RATE_HZ, SpeechWindows } from './speech-windows.ts'
import { type SubtitleTrack, tx3gTracks } from './tx3g.ts'

export function mediaProcessor(settings: ProcessorSettings = {}): Processor {
  return {
    name: 'media',
    version: '2',
    accepts: (_type, head) => (/^(?:audio|video)\//.test(contentType(head)) ? 0.9 : 0),
    process: (source, ctx) => new MediaJob(bufferedAccess(source), ctx, settings).run(),
  }
}

class MediaJob {
  readonly #source: WatchedAccess
  readonly #ctx: ProcessContext
  readonly #settings: ProcessorSettings
  readonly #steps: Steps
  /** Reason why ffmpeg cannot be used, or how. */
  #tool: Ffmpeg | string = NEEDS_FFMPEG

  constructor(source: WatchedAccess, ctx: ProcessContext, settings: ProcessorSettings) {
    this.#source = source
    this.#ctx = ctx
    this.#settings = settings
    this.#steps = new Steps(ctx)
  }

  async run(): Promise<Summary> {
    const type = contentType(await this.#source.read(0, 4_096))
    await this.#findTool()
    const data = await this.#container(type)
    const subtitles = await this.#subtitles(type, data)
    // What follows decodes all of the recording, where it can.
    if (typeof this.#tool !== 'string') await this.#ctx.publish?.({ ...this.#steps.summaries })
    const cutsMs = await this.#cuts(data)
    const speech = await this.#transcript(data, cutsMs)
    if (cutsMs && speech.length > 0) await this.#ctx.publish?.({ ...this.#steps.summaries })
    if (cutsMs) await this.#scenes(data, cutsMs, speech.length > 0 ? speech : subtitles)
    return {
      contentType: data.hasVideo ? type : type.replace(/^video\/(?=mp4|webm|x-matroska)/, 'audio/'),
      steps: this.#steps.summaries,
      metadata: data.metadata,
    }
  }

  async #findTool(): Promise<void> {
    const program = await findFfmpeg(this.#settings)
    if (program === undefined) return
    const { scratch, signal } = this.#ctx
    const freeBytes = await scratch.freeBytes()
    if (freeBytes < this.#source.sizeBytes) {
      this.#tool = `the scratch folder has ${freeBytes} bytes free; ffmpeg needs a copy of ${this.#source.sizeBytes} bytes`
      return
    }
    this.#tool = { program, input: join(scratch.path, 'source'), signal }
  }

  #isCopied = false
  /** ffmpeg with a copy of the source to read, which is made when it is first needed. */
  async #withTool(alive: () => Promise<void>): Promise<Ffmpeg> {
    const tool = this.#tool as Ffmpeg
    if (!this.#isCopied) await copyToFile(this.#source, tool.input, alive)
    this.#isCopied = true
    return tool
  }

  async #container(type: string): Promise<ContainerData> {
    let data: ContainerData | undefined
    await this.#steps.run('container', async (recorder) => {
      let problem: unknown
      try {
        data = await parsing('the recording', () => readContainer(this.#source), this.#source)
      } catch (error) {
        // Of a file that is cut off, ffmpeg reads what is there.
        if (!isSiltstoneError(error, 'invalid') || typeof this.#tool === 'string') throw error
        problem = error
      }
      if (!data?.hasVideo && !data?.hasAudio) {
        if (data && typeof this.#tool === 'string') throw corruptFile('the recording has no track of audio or video')
        if (typeof this.#tool === 'string') throw unsupported('needs-ffmpeg', `${type} ${this.#tool}`)
        const report = await ffmpegReport(await this.#withTool(() => recorder.alive()))
        // The first reader knows better what is wrong with a file that neither can read.
        data = await parsing('the recording', () => containerOfReport(report)).catch((error: unknown) => {
          throw problem ?? error
        })
      }
      await recorder.add('container', describe(data, this.#ctx.name), data.metadata)
    })
    return data as ContainerData
  }

  async #subtitles(type: string, data: ContainerData): Promise<TranscriptSegment[]> {
    const tracks: SubtitleTrack[] = []
    await this.#steps.run('subtitles', async (recorder) => {
      for (const extension of ['.srt', '.vtt']) {
        const cues = await this.#sideCar(extension)
        if (cues) tracks.push({ language: '', cues })
      }
      if (/\/(?:mp4|quicktime)$/.test(type)) {
        const read = () => tx3gTracks(this.#source, () => recorder.alive())
        const found = await parsing('the recording', read, this.#source)
        tracks.push(...found.tracks)
        for (const kind of found.unread)
          this.#steps.skip(`subtitles-${kind}`, `a track of subtitles is of the kind ${kind}, which is not read`)
      } else if (typeof this.#tool !== 'string' && data.hasVideo)
        tracks.push(...(await this.#otherTracks(() => recorder.alive())))
      for (const [k, { language, cues }] of tracks.entries()) {
        const place: FlatMetadata = { track: k + 1, ...(language === '' ? {} : { language }) }
        for (const passage of timedPassages(cues))
          await recorder.add('subtitle', passage.text, { ...timeFields(passage), ...place })
      }
    })
    if (tracks.length === 0 && typeof this.#tool === 'string' && !/\/(?:mp4|quicktime)$/.test(type) && data.hasVideo)
      this.#steps.skip('subtitles', `subtitles in ${type}: ${this.#tool}`)
    return tracks[0]?.cues ?? []
  }

  /** A file beside the recording that cannot be read takes nothing away from the recording. */
  async #sideCar(extension: string): Promise<TranscriptSegment[] | undefined> {
    const file = await this.#ctx.sibling?.(extension)
    try {
      return file && (await readCues(file))
    } catch (error) {
      if (!isSiltstoneError(error, 'invalid') && !isSiltstoneError(error, 'unsupported')) throw error
      this.#steps.skip(`subtitles${extension}`, error.message)
      return undefined
    }
  }

  async #otherTracks(alive: () => Promise<void>): Promise<SubtitleTrack[]> {
    const tool = await this.#withTool(alive)
    const { subtitles } = containerOfReport(await ffmpegReport(tool))
    const tracks: SubtitleTrack[] = []
    for (const [k, language] of subtitles.entries()) {
      await alive()
      try {
        const text = await ffmpegText(tool, { after: ['-map', `0:s:${k}`, '-f', 'srt', '-'] })
        tracks.push({ language, cues: parseCues(text) })
      } catch (error) {
        if (!isSiltstoneError(error, 'invalid')) throw error
        // Subtitles that are pictures have no text.
        this.#steps.skip(`subtitles-${k + 1}`, error.message)
      }
    }
    return tracks
  }

  /** The cuts of the video; undefined if there are no scenes to make. */
  async #cuts({ hasVideo, durationMs }: ContainerData): Promise<number[] | undefined> {
    if (!hasVideo || durationMs === 0) return undefined
    if (typeof this.#tool === 'string') {
      this.#steps.skip('scenes', this.#tool)
      return undefined
    }
    let cutsMs: number[] = []
    await this.#steps.try('cuts', async (recorder) => {
      cutsMs = await findCuts(await this.#withTool(() => recorder.alive()))
    })
    return cutsMs
  }

  async #scenes(data: ContainerData, cutsMs: readonly number[], said: readonly TranscriptSegment[]): Promise<void> {
    const ctx = this.#ctx
    await this.#steps.run('scenes', async (recorder) => {
      const tool = await this.#withTool(() => recorder.alive())
      for (const [k, scene] of scenesOf(data.durationMs, cutsMs).entries()) {
        await recorder.alive(k + 1)
        const picture = await this.#picture(tool, scene)
        const key =
          picture && (await this.#ctx.putDerived(`scene-${String(k + 1).padStart(4, '0')}.jpg`, picture, 'image/jpeg'))
        const words = said
          .filter(({ startMs, endMs }) => startMs < scene.endMs && endMs > scene.startMs)
          .map(({ text }) => text)
          .join(' ')
        const title = data.metadata['title'] ?? ''
        const document = words || `${title === '' ? 'Scene' : `${title}, scene`} ${k + 1}`
        const place: FlatMetadata = {
          ...timeFields(scene),
          scene: k + 1,
          ...(key !== undefined && { thumbnail_key: key }),
        }
        const [vector] = ctx.embedImage && picture ? await ctx.embedImage([picture]) : []
        if (vector) await recorder.addEmbedded('scene', document, place, vector)
        else await recorder.add('scene', document, place)
      }
    })
  }

  /** A scene whose picture cannot be decoded has none. */
  async #picture(tool: Ffmpeg, scene: Scene): Promise<Uint8Array | undefined> {
    try {
      return await pictureOf(tool, scene)
    } catch (error) {
      if (isSiltstoneError(error, 'invalid')) return undefined
      throw error
    }
  }

  async #transcript(
    { hasAudio, audioTracks }: ContainerData,
    cutsMs: readonly number[] = [],
  ): Promise<TranscriptSegment[]> {
    const ctx = this.#ctx
    if (!hasAudio) return []
    if (!ctx.transcribe || typeof this.#tool === 'string') {
      this.#steps.skip('transcript', typeof this.#tool === 'string' ? this.#tool : NEEDS_TRANSCRIBER)
      return []
    }
    let segments: TranscriptSegment[] = []
    await this.#steps.try('transcript', async (recorder) => {
      let window = 0
      const windows = new SpeechWindows(async (pcm) => {
        await recorder.alive(++window)
        return (await ctx.transcribe?.(pcm, ctx.signal)) ?? []
      })
      const after = ['-map', '0:a:0', '-ac', '1', '-ar', String(SAMPLE_RATE_HZ), '-f', 's16le', '-']
      await ffmpeg(await this.#withTool(() => recorder.alive()), { after }, (bytes) => windows.push(bytes))
      await windows.end()
      segments = windows.segments
      for (const passage of timedPassages(segments, cutsMs))
        await recorder.add('transcript', passage.text, timeFields(passage))
    })
    if (audioTracks > 1)
      this.#steps.skip('transcript-others', `the recording has ${audioTracks} tracks of audio; the first is read`)
    return segments
  }
}

/** A sentence that can be searched: title, name, length, what it holds. */
function describe({ metadata, durationMs, hasVideo }: ContainerData, name = ''): string {
  const seconds = Math.round(durationMs / 1_000)
  const length = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  const words = name
    .replace(/^.*[/\\]/, '')
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[-_.]+/g, ' ')
  const { title, artist, album, description, width, height, video_codec: video, audio_codec: audio } = metadata
  return [
    title,
    words,
    artist && `by ${artist}`,
    album && `on ${album}`,
    description,
    `${hasVideo ? 'video' : 'audio'} of ${length} minutes`,
    width && `${width} × ${height}`,
    [video, audio].filter((codec) => codec !== undefined).join(' and '),
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('; ')
}
