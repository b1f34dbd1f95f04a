/** ffmpeg: where it is, and what is asked of it. Every call reads a local file and streams its answer. */
import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { corruptFile } from '../failures.ts'
import type { RandomAccess } from '../processor.ts'
import type { ProcessorSettings } from '../settings.ts'
import { runChild } from './children.ts'

export const NEEDS_FFMPEG = 'needs ffmpeg: install it, or name its path in SILTSTONE_FFMPEG'

/** The path of ffmpeg; undefined if there is none. A path that was named and does not exist is no reason to look elsewhere. */
export async function findFfmpeg({ ffmpeg }: ProcessorSettings): Promise<string | undefined> {
  if (ffmpeg === false) return undefined
  const named = ffmpeg ?? process.env['SILTSTONE_FFMPEG']
  const file = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  const candidates = named ? [named] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, file))
  for (const path of candidates) if (path !== file && (await isExecutable(path))) return path
  return undefined
}

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

const COPY_BYTES = 4 * 1024 * 1024

/** Copies a source into a file, for ffmpeg, which has to seek. */
export async function copyToFile(source: RandomAccess, path: string, alive: () => Promise<void>): Promise<void> {
  await using file = await open(path, 'wx')
  for (let at = 0; at < source.sizeBytes; ) {
    const bytes = await source.read(at, COPY_BYTES)
    if (bytes.length === 0) throw new Error(`the source ended at byte ${at} of ${source.sizeBytes}`)
    await file.writeFile(bytes)
    at += bytes.length
    await alive()
  }
}

export interface Ffmpeg {
  path: string
  input: string
  signal: AbortSignal
}

/** Runs ffmpeg on the input; hands over what it writes to its output. @throws SiltstoneError `invalid` (corrupt-file) */
export async function ffmpeg(
  { path, input, signal }: Ffmpeg,
  args: { before?: readonly string[]; after: readonly string[] },
  take: (bytes: Uint8Array) => Promise<void> | void,
): Promise<void> {
  // Only the file itself is opened: lists and manifests inside it must not name other files or addresses.
  const all = [
    '-v',
    'error',
    '-nostdin',
    '-protocol_whitelist',
    'file,pipe',
    ...(args.before ?? []),
    '-i',
    input,
    ...args.after,
  ]
  const { code, errors } = await runChild(path, all, signal, take)
  if (code !== 0) throw corruptFile(`ffmpeg cannot read the file: ${errors.trim().split('\n').slice(-3).join(' ')}`)
}

export async function ffmpegText(run: Ffmpeg, args: Parameters<typeof ffmpeg>[1]): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  await ffmpeg(run, args, (bytes) => {
    text += decoder.decode(bytes, { stream: true })
  })
  return text + decoder.decode()
}

/** What ffmpeg says of its input when it is given no output: it then fails, and has said it. */
export async function ffmpegReport({ path, input, signal }: Ffmpeg): Promise<string> {
  const args = ['-hide_banner', '-nostdin', '-protocol_whitelist', 'file,pipe', '-i', input]
  const { errors } = await runChild(path, args, signal, () => undefined)
  return errors
}
