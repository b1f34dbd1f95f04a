/** Videos of a minute with known words: made by ffmpeg, spoken by espeak-ng or by a person in a recording that is given. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Each is a cue of the subtitles. At 140 words a minute they take about 55 seconds. */
const SAID = [
  'Rivers carry sand and clay from the hills to the sea.',
  'The heavy grains sink first, where the water is slow, and the fine ones travel on.',
  'In the old dock a machine digs the mud away every spring, because the ships need deep water.',
  'The baker mixes flour with warm water and salt, and then he waits for two hours.',
  'After that the bread stays in the oven until the crust is brown and hard.',
  'A good violin is made of spruce and maple, and its wood has to dry for many years.',
  'The player turns the pegs until each string has the right tone.',
  'Winter in the mountains is long, and the farmers keep their cows in the stable.',
  'When the snow melts, the animals walk up to the high meadows again.',
]
export const QUESTION = 'why is the mud removed from the dock?'
/** Of the sentence that answers the question; a cut between two scenes may divide it. */
export const ANSWER = /\b(?:mud|ships)\b/i

const SECONDS = 60
const SCENES = ['testsrc2', 'smptebars', 'rgbtestsrc', 'testsrc', 'yuvtestsrc', 'mandelbrot']

export interface Said {
  voice: 'espeak-ng' | 'a person'
  /** Path of the sound. */
  speech: string
  /** As it is written down. */
  said: string
}

export interface SpokenVideo {
  voice: Said['voice'] | 'none'
  bytes: Buffer
  said: string
}

export function ffmpegProgram(): string {
  const { SILTSTONE_FFMPEG: named = '' } = process.env
  return named === '' || named === 'wasm' ? 'ffmpeg' : named
}

/** A voice that is a machine's. @throws Error with what the programs say */
export async function machineSpoken(folder: string): Promise<Said> {
  const speech = join(folder, 'speech.wav')
  const said = SAID.join(' ')
  await run('espeak-ng', ['-v', 'en-us', '-s', '140', '-w', speech, said])
  return { speech, said, voice: 'espeak-ng' }
}

/**
 * 640 by 360 pixels, H.264, with six scenes, a track of subtitles, and speech, or without a sound.
 * @throws Error with what ffmpeg says
 */
export async function spokenVideo(
  { speech, said, voice }: Said,
  folder: string,
  hasSound: boolean,
): Promise<SpokenVideo> {
  const [srt, mp4] = [join(folder, 'video.srt'), join(folder, 'video.mp4')]
  writeFileSync(srt, subtitles(said))
  const each = SECONDS / SCENES.length
  const inputs = SCENES.flatMap((source) => ['-f', 'lavfi', '-t', `${each}`, '-i', `${source}=size=640x360:rate=25`])
  const scenes = SCENES.map((_, k) => `[${k}:v]format=yuv420p[s${k}]`).join(';')
  const joined = `${scenes};${SCENES.map((_, k) => `[s${k}]`).join('')}concat=n=${SCENES.length}:v=1[v]`
  const sound = hasSound ? `;[${SCENES.length}:a]apad,atrim=duration=${SECONDS}[a]` : ''
  const tracks = ['-map', '[v]', ...(hasSound ? ['-map', '[a]', '-c:a', 'aac'] : []), '-map', `${SCENES.length + 1}:s`]
  const encoded = ['-c:v', 'libx264', '-preset', 'veryfast', '-c:s', 'mov_text', '-metadata', 'title=A minute of talk']
  const filters = ['-filter_complex', `${joined}${sound}`]
  await run(ffmpegProgram(), [
    '-v',
    'error',
    '-y',
    ...inputs,
    '-i',
    speech,
    '-i',
    srt,
    ...filters,
    ...tracks,
    ...encoded,
    mp4,
  ])
  return { voice: hasSound ? voice : 'none', bytes: readFileSync(mp4), said }
}

/** Cues of the sentences, one after the other, each as long as its share of the letters. */
function subtitles(said: string): string {
  const sentences = said.match(/[^.!?]+[.!?]*/g)?.map((sentence) => sentence.trim()) ?? []
  const letters = sentences.reduce((sum, { length }) => sum + length, 0)
  let before = 0
  const cues = sentences.map((sentence, k) => {
    const start = before
    before += (sentence.length / letters) * SECONDS
    return `${k + 1}\n${timeOf(start)} --> ${timeOf(before)}\n${sentence}\n`
  })
  return cues.join('\n')
}

const timeOf = (seconds: number) =>
  `00:00:${seconds.toFixed(3).padStart(6, '0').replace('.', ',')}`.replace('00:00:60', '00:01:00')
