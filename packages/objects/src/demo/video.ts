/** A short video with two scenes, a tone and subtitles, made by ffmpeg where there is one. */
import { execFile } from 'node:child_process'
import { access, constants, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { environmentVariables } from 'siltstone/internal'

const run = promisify(execFile)

/** As processors find it; in a clone of the repository also the one that is installed for tests. */
export async function findFfmpeg(): Promise<string | undefined> {
  const { PATH = '', SILTSTONE_FFMPEG: named } = environmentVariables()
  const candidates = named ? [named] : PATH.split(delimiter).map((folder) => join(folder, 'ffmpeg'))
  try {
    const installed = createRequire(import.meta.resolve('@siltstone/processors'))('@ffmpeg-installer/ffmpeg') as {
      path: string
    }
    candidates.push(installed.path)
  } catch (error) {
    // Not a clone of the repository, or a platform that has none.
    if (!(error instanceof Error)) throw error
  }
  for (const path of candidates)
    try {
      await access(path, constants.X_OK)
      return path
    } catch (error) {
      // Not this one.
      if (!(error instanceof Error)) throw error
    }
  return undefined
}

/** @throws Error with what ffmpeg says */
export async function makeVideo(ffmpeg: string, subtitles: string, folder: string): Promise<Uint8Array> {
  const [srt, mp4] = [join(folder, 'talk.srt'), join(folder, 'talk.mp4')]
  await writeFile(srt, subtitles)
  const scene = (source: string) => ['-f', 'lavfi', '-i', `${source}=size=320x180:rate=12:duration=4`]
  const inputs = [
    ...scene('smptebars'),
    ...scene('testsrc'),
    '-f',
    'lavfi',
    '-i',
    'sine=frequency=330:duration=8',
    '-i',
    srt,
  ]
  const outputs = [
    '-map',
    '[v]',
    '-map',
    '2:a',
    '-map',
    '3:s',
    '-c:v',
    'libx264',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-c:s',
    'mov_text',
  ]
  const title = ['-metadata', 'title=Glaciers, a talk of eight seconds']
  await run(ffmpeg, [
    '-v',
    'error',
    '-y',
    ...inputs,
    '-filter_complex',
    '[0:v][1:v]concat=n=2:v=1[v]',
    ...outputs,
    ...title,
    mp4,
  ])
  return readFile(mp4)
}
