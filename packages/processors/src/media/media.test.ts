import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import installed from '@ffmpeg-installer/ffmpeg'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessBytes } from '../access.ts'
import { openFile } from '../host/file-access.ts'
import type { ProcessContext, TranscriptSegment } from '../processor.ts'
import { collect } from '../testing/context.ts'
import { mediaProcessor } from './media-processor.ts'
import { scenesOf } from './scenes.ts'
import { SpeechWindows } from './speech-windows.ts'

const folder = mkdtempSync(join(tmpdir(), 'siltstone-media-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string) => join(folder, name)
const ffmpeg = (...args: string[]) => {
  const { status, stderr } = spawnSync(installed.path, ['-v', 'error', '-y', ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

const SRT =
  '1\n00:00:00,500 --> 00:00:02,000\nIt was the best of times.\n\n2\n00:00:03,500 --> 00:00:05,000\nIt was the worst of times.\n'

beforeAll(() => {
  writeFileSync(file('s.srt'), SRT)
  const picture = 'color=red:s=320x180:r=5:d=3[a];color=blue:s=320x180:r=5:d=3[b];[a][b]concat'
  ffmpeg(
    '-f',
    'lavfi',
    '-i',
    picture,
    '-f',
    'lavfi',
    '-i',
    'sine=440:duration=6',
    '-i',
    file('s.srt'),
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-c:s',
    'mov_text',
    '-metadata',
    'title=Two colours',
    file('v.mp4'),
  )
  ffmpeg('-i', file('v.mp4'), '-map', '0', '-c:v', 'copy', '-c:a', 'copy', '-c:s', 'srt', file('v.mkv'))
  ffmpeg('-i', file('v.mp4'), '-map', '0:v', '-map', '0:a', '-c', 'copy', file('v.mov'))
  ffmpeg('-i', file('v.mp4'), '-map', '0:v', '-map', '0:a', '-c:v', 'mpeg4', '-c:a', 'libmp3lame', file('v.avi'))
  ffmpeg(
    '-i',
    file('v.mp4'),
    '-map',
    '0:v',
    '-map',
    '0:a',
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-c:a',
    'libvorbis',
    file('v.webm'),
  )
  const twice = ['-map', '0:v', '-map', '0:a', '-map', '0:a', '-map', '0:s', '-c', 'copy', '-c:s', 'ass']
  ffmpeg('-i', file('v.mp4'), ...twice, '-metadata:s:s:0', 'language=ger', file('two.mkv'))
  ffmpeg('-i', file('v.mp4'), '-vn', '-metadata', 'artist=Dickens', file('a.mp3'))
  ffmpeg('-i', file('v.mp4'), '-vn', file('a.wav'))
  ffmpeg('-i', file('v.mp4'), '-vn', '-c:a', 'libvorbis', file('a.ogg'))
  ffmpeg('-i', file('v.mp4'), '-map', '0:v', '-map', '0:a', '-c', 'copy', '-f', 'mpegts', file('v.ts'))
})

let jobs = 0
/** A context with a scratch folder, and ffmpeg or not. */
async function run(name: string, more: Partial<ProcessContext> = {}, ffmpeg: string | false = installed.path) {
  await using source = await openFile(file(name))
  const path = mkdtempSync(file(`job-${++jobs}-`))
  return await collect(mediaProcessor({ ffmpeg }), source, { scratch: { path, freeBytes: async () => 1e9 }, ...more })
}

describe('video', () => {
  it.each(['v.mp4', 'v.mkv'])('%s gives container, subtitles, scenes with pictures', async (name) => {
    const { records, derived, summary } = await run(name)
    const of = (kind: string) => records.filter((record) => record.kind === kind)
    expect(of('container')).toMatchObject([
      {
        document: expect.stringMatching(/^Two colours; video of 0:06 minutes; 320 × 180; avc and aac$/),
        metadata: { width: 320, height: 180, title: 'Two colours' },
      },
    ])
    expect(of('container')[0]?.metadata['duration_ms']).toBeGreaterThan(5_900)
    expect(of('subtitle')).toMatchObject([
      {
        document: 'It was the best of times. It was the worst of times.',
        metadata: { track: 1 },
      },
    ])
    // An audio encoder delays its stream by up to a tenth of a second, and the others with it.
    expect(Math.abs((of('subtitle')[0]?.metadata['start_ms'] as number) - 500)).toBeLessThan(100)
    expect(Math.abs((of('subtitle')[0]?.metadata['end_ms'] as number) - 5_000)).toBeLessThan(100)
    expect(Math.abs((of('scene')[1]?.metadata['start_ms'] as number) - 3_000)).toBeLessThan(100)
    expect(of('scene')).toMatchObject([
      {
        document: 'It was the best of times.',
        metadata: { scene: 1, start_ms: 0, thumbnail_key: 'derived/scene-0001.jpg' },
      },
      { document: 'It was the worst of times.', metadata: { scene: 2 } },
    ])
    expect([...derived.values()].map((bytes) => [bytes[0], bytes[1]])).toEqual([
      [0xff, 0xd8],
      [0xff, 0xd8],
    ])
    expect(summary.steps).toMatchObject({
      container: { state: 'done' },
      subtitles: { state: 'done' },
      cuts: { state: 'done' },
      scenes: { state: 'done', records: 2 },
      transcript: { state: 'skipped', reason: expect.stringContaining('npm install @siltstone/transcriber-english') },
    })
  })

  it.each([
    ['v.mp4', 1],
    ['v.mov', 0],
    ['v.mkv', 0],
    ['v.webm', 0],
  ] as const)('%s is done without ffmpeg, with steps skipped', async (name, subtitles) => {
    const { records, summary } = await run(name, {}, false)
    expect(records.filter(({ kind }) => kind === 'container')).toHaveLength(1)
    expect(records.filter(({ kind }) => kind === 'subtitle')).toHaveLength(subtitles)
    for (const step of ['scenes', 'transcript'])
      expect(summary.steps[step]).toMatchObject({
        state: 'skipped',
        reason: expect.stringContaining('SILTSTONE_FFMPEG'),
      })
  })

  it.each([
    [installed.path, [['container', 'subtitles']]],
    [false, []],
  ] as const)('shows its subtitles before what takes long (ffmpeg: %s)', async (ffmpeg, published) => {
    const steps: string[][] = []
    await run('v.mp4', { publish: async (ended) => void steps.push(Object.keys(ended)) }, ffmpeg)
    expect(steps).toEqual(published)
  })

  it('of a kind that only ffmpeg reads needs it', async () => {
    await expect(run('v.avi', {}, false)).rejects.toMatchObject({ kind: 'unsupported', code: 'needs-ffmpeg' })
    const { records, summary } = await run('v.avi')
    expect(summary.contentType).toBe('video/x-msvideo')
    expect(records[0]?.metadata).toMatchObject({ width: 320, height: 180, video_codec: 'mpeg4', audio_codec: 'mp3' })
    expect(records.filter(({ kind }) => kind === 'scene')).toHaveLength(2)
  })

  it('counts the time of a broadcast from its beginning, and has a picture of each scene', async () => {
    const { records, derived } = await run('v.ts')
    const durationMs = records.find(({ kind }) => kind === 'container')?.metadata['duration_ms'] as number
    expect(Math.abs(durationMs - 6_000)).toBeLessThan(200)
    expect(records.filter(({ kind }) => kind === 'scene')).toHaveLength(derived.size)
  })

  it('takes subtitles beside it, and vectors of pictures', async () => {
    const sibling = async (extension: string) =>
      extension === '.srt' ? accessBytes(new TextEncoder().encode(SRT)) : undefined
    const embedImage = async (images: readonly Uint8Array[]) => images.map((image) => Float32Array.of(image.length))
    const { records } = await run('v.webm', { sibling, embedImage })
    expect(records.filter(({ kind }) => kind === 'subtitle')).toMatchObject([{ metadata: { start_ms: 500 } }])
    expect(records.find(({ kind }) => kind === 'scene')?.embedding).toHaveLength(1)
  })

  it('is read although the file beside it is broken', async () => {
    const sibling = async (extension: string) =>
      extension === '.vtt' ? accessBytes(Uint8Array.of(0, 1, 2, 0, 255, 0, 0, 1)) : undefined
    const { records, summary } = await run('v.webm', { sibling })
    expect(summary.steps['subtitles.vtt']).toMatchObject({
      state: 'skipped',
      reason: expect.stringContaining('not text'),
    })
    expect(records.map(({ kind }) => kind)).toContain('scene')
  })

  it('gives what is spoken, with times', async () => {
    let samples = 0
    const transcribe = async (pcm: Float32Array): Promise<TranscriptSegment[]> => {
      samples += pcm.length
      return [
        { startMs: 200, endMs: 1_800, text: ' Rivers carry sand.' },
        { startMs: 2_900, endMs: 99_000, text: 'It sinks.' },
      ]
    }
    const { records } = await run('v.mp4', { transcribe })
    expect(samples / 16_000).toBeCloseTo(6, 0)
    expect(records.filter(({ kind }) => kind === 'transcript')).toMatchObject([
      { document: 'Rivers carry sand.', metadata: { start_ms: 200 } },
      // It begins before the cut at 3 s, but most of it comes after.
      { document: 'It sinks.', metadata: { start_ms: 2_900 } },
    ])
    expect(records.find(({ kind, metadata }) => kind === 'scene' && metadata['scene'] === 2)?.document).toBe(
      'It sinks.',
    )
  })

  it('names the language of subtitles, and the tracks of audio that are not read', async () => {
    const { records, summary } = await run('two.mkv', { transcribe: async () => [] })
    expect(records.filter(({ kind }) => kind === 'subtitle')).toMatchObject([
      { document: 'It was the best of times. It was the worst of times.', metadata: { language: 'ger' } },
    ])
    expect(records.find(({ kind }) => kind === 'container')?.metadata).toMatchObject({ audio_tracks: 2 })
    expect(summary.steps['transcript-others']).toMatchObject({
      state: 'skipped',
      reason: expect.stringContaining('2 tracks of audio'),
    })
  })

  it('is read by ffmpeg as WebAssembly, too', async () => {
    let samples = 0
    const transcribe = async (pcm: Float32Array): Promise<TranscriptSegment[]> => {
      samples += pcm.length
      return [{ startMs: 0, endMs: 900, text: 'A tone.' }]
    }
    const { records } = await run('a.wav', { transcribe }, 'wasm')
    expect(samples / 16_000).toBeCloseTo(6, 0)
    expect(records.map(({ document }) => document)).toContain('A tone.')
  })

  it('says when the scratch folder is too small, and when the file is cut off', async () => {
    const { summary } = await run('v.mp4', { scratch: { path: folder, freeBytes: async () => 10 } })
    expect(summary.steps['scenes']).toMatchObject({
      state: 'skipped',
      reason: expect.stringContaining('10 bytes free'),
    })
    writeFileSync(file('cut.avi'), readFileSync(file('v.avi')).subarray(0, 300))
    await expect(run('cut.avi')).rejects.toMatchObject({ kind: 'invalid', code: 'corrupt-file' })
    writeFileSync(file('cut.mp4'), readFileSync(file('v.mp4')).subarray(0, 200))
    await expect(run('cut.mp4')).rejects.toMatchObject({ kind: 'invalid', code: 'corrupt-file' })
  })
})

describe('audio', () => {
  it('that is cut off is read as far as it goes', async () => {
    const whole = readFileSync(file('a.ogg'))
    writeFileSync(file('cut.ogg'), whole.subarray(0, Math.floor(whole.length * 0.6)))
    const { records } = await run('cut.ogg')
    expect(records[0]?.metadata).toMatchObject({ audio_codec: 'vorbis' })
  })

  it.each([
    ['a.mp3', 'audio/mpeg', 'mp3'],
    ['a.wav', 'audio/wav', 'pcm-s16'],
  ])('%s gives its container', async (name, type, codec) => {
    const { records, summary } = await run(name, {}, false)
    expect(summary).toMatchObject({ contentType: type, metadata: { audio_codec: codec } })
    expect(records).toHaveLength(1)
    if (name === 'a.mp3') expect(records[0]?.document).toContain('by Dickens')
    expect(summary.steps['scenes']).toBeUndefined()
  })
})

describe('scenes', () => {
  it('cover the video without gaps, none too short or too long', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000 }), fc.array(fc.nat(4_000_000)), (durationMs, cuts) => {
        const cutsMs = cuts.filter((cutMs) => cutMs < durationMs).toSorted((a, b) => a - b)
        const scenes = scenesOf(durationMs, cutsMs)
        expect(scenes[0]?.startMs).toBe(0)
        expect(scenes.at(-1)?.endMs).toBe(durationMs)
        for (const [k, { startMs, endMs }] of scenes.entries()) {
          if (k > 0) expect(startMs).toBe(scenes[k - 1]?.endMs)
          expect(endMs - startMs).toBeLessThanOrEqual(60_001)
          if (scenes.length > 1) expect(endMs - startMs).toBeGreaterThanOrEqual(2_000)
        }
      }),
    )
  })
})

describe('windows of speech', () => {
  it('pass every sample on once, with its time, and are cut where it is quiet', async () => {
    const seconds = 250
    const quietSecond = 110
    const bytes = new Int16Array(seconds * 16_000).map((_, k) =>
      Math.floor(k / 16_000) === quietSecond ? 0 : ((k * 7) % 20_000) - 10_000,
    )
    const heard: Float32Array[] = []
    const windows = new SpeechWindows(async (pcm) => {
      heard.push(pcm)
      return [{ startMs: 0, endMs: 1_000, text: 'start' }]
    })
    const all = new Uint8Array(bytes.buffer)
    // Pieces of odd lengths cut samples in two.
    for (let at = 0; at < all.length; at += 65_537) await windows.push(all.subarray(at, at + 65_537))
    await windows.end()
    expect(heard.reduce((sum, pcm) => sum + pcm.length, 0)).toBe(bytes.length)
    const firstSeconds = (heard[0] as Float32Array).length / 16_000
    expect(Math.floor(firstSeconds)).toBe(quietSecond)
    expect(windows.segments[1]?.startMs).toBe(firstSeconds * 1_000)
    let at = 0
    for (const pcm of heard) {
      expect(Math.round((pcm[5] as number) * 32_768)).toBe(bytes[at + 5])
      at += pcm.length
    }
  })
})
