/** Scenes of a video: cuts by ffmpeg's measure of change, and a picture from each scene. */
import { ffmpeg, ffmpegText, type Ffmpeg } from '../host/ffmpeg.ts'

export interface Scene {
  startMs: number
  endMs: number
}

/** Change from one picture to the next, 0 to 1, that counts as a cut. */
const CUT_SCORE = 0.3
const MIN_SCENE_MS = 2_000
const MAX_SCENE_MS = 60_000
const MAX_SCENES = 1_000
/** How far whole pictures may be apart. */
const RUN_UP_MS = 10_000

/** The times of the cuts, in milliseconds. */
export async function findCuts(run: Ffmpeg): Promise<number[]> {
  const filter = `scale=160:-2,select='gt(scene,${CUT_SCORE})',metadata=print:file=-`
  const text = await ffmpegText(run, { after: ['-an', '-sn', '-vf', filter, '-f', 'null', '-'] })
  return [...text.matchAll(/pts_time:([\d.]+)/g)].map(([, seconds]) => Math.round(Number(seconds) * 1_000))
}

/** Scenes between the cuts: none shorter than two seconds, and long ones in equal parts of at most one minute. */
export function scenesOf(durationMs: number, cutsMs: readonly number[]): Scene[] {
  const borders = [0]
  for (const cutMs of cutsMs)
    if (cutMs - (borders.at(-1) as number) >= MIN_SCENE_MS && durationMs - cutMs >= MIN_SCENE_MS) borders.push(cutMs)
  borders.push(durationMs)
  const scenes: Scene[] = []
  for (let i = 1; i < borders.length; i++) {
    const startMs = borders[i - 1] as number
    const lengthMs = (borders[i] as number) - startMs
    const parts = Math.max(1, Math.ceil(lengthMs / MAX_SCENE_MS))
    for (let part = 0; part < parts; part++)
      scenes.push({
        startMs: Math.round(startMs + (lengthMs * part) / parts),
        endMs: Math.round(startMs + (lengthMs * (part + 1)) / parts),
      })
  }
  return scenes.filter(({ startMs, endMs }) => endMs > startMs).slice(0, MAX_SCENES)
}

/** A JPEG of at most 320 points width, from the first third of the scene; undefined where there is no picture. */
export async function pictureOf(run: Ffmpeg, { startMs, endMs }: Scene): Promise<Uint8Array | undefined> {
  const atMs = startMs + (endMs - startMs) / 3
  // Where the places of whole pictures are not known, a jump may end behind the last one before: then it begins earlier.
  return (await pictureAt(run, atMs, 0)) ?? pictureAt(run, Math.max(0, atMs - RUN_UP_MS), Math.min(RUN_UP_MS, atMs))
}

/** Jumps to `fromMs`, and decodes `decodedMs` more. */
async function pictureAt(run: Ffmpeg, fromMs: number, decodedMs: number): Promise<Uint8Array | undefined> {
  const seconds = (ms: number) => (ms / 1_000).toFixed(3)
  const parts: Uint8Array[] = []
  const picture = [
    ...(decodedMs > 0 ? ['-ss', seconds(decodedMs)] : []),
    '-an',
    '-sn',
    '-frames:v',
    '1',
    '-vf',
    "scale='min(320,iw)':-2",
    '-c:v',
    'mjpeg',
    '-pix_fmt',
    'yuvj420p',
    '-q:v',
    '5',
    '-f',
    'image2pipe',
    '-',
  ]
  await ffmpeg(run, { before: ['-ss', seconds(fromMs)], after: picture }, (bytes) => void parts.push(bytes))
  return parts.length === 0 ? undefined : new Uint8Array(Buffer.concat(parts))
}
