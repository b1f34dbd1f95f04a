/** ffmpeg: where it is, and what is asked of it. Every call reads a local file and streams its answer. */
import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { corruptFile } from '../failures.ts'
import type { RandomAccess } from '../processor.ts'
import type { ProcessorSettings } from '../settings.ts'
import { runChild } from './children.ts'
import { isMissing } from './optional.ts'

export const NEEDS_FFMPEG =
  'needs ffmpeg: install it, or name its path in SILTSTONE_FFMPEG; or, slower: npm install @ffmpeg/core'

/** A program that takes ffmpeg's arguments after its own. */
export interface FfmpegProgram {
  path: string
  args: readonly string[]
  /** The path, or the package. */
  name: string
}

const WASM = '@ffmpeg/core'

/**
 * ffmpeg where it is, otherwise `@ffmpeg/core` where that is installed; undefined if there is none. A path that was named
 * and does not exist is no reason to look elsewhere; the name `wasm` is that package.
 */
export async function findFfmpeg({ ffmpeg }: ProcessorSettings): Promise<FfmpegProgram | undefined> {
  if (ffmpeg === false) return undefined
  const named = ffmpeg ?? process.env['SILTSTONE_FFMPEG']
  if (named === 'wasm') return wasmProgram()
  const file = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  const candidates = named ? [named] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, file))
  for (const path of candidates) if (path !== file && (await isExecutable(path))) return { path, args: [], name: path }
  return named ? undefined : wasmProgram()
}

function wasmProgram(): FfmpegProgram | undefined {
  try {
    createRequire(import.meta.url).resolve(WASM)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  // Sources run as they are; a build has compiled modules.
  const main = new URL(`./ffmpeg-wasm-main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
  return { path: process.execPath, args: [fileURLToPath(main)], name: `${WASM}, which is slower than ffmpeg itself` }
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
  program: FfmpegProgram
  input: string
  signal: AbortSignal
}

/** Runs ffmpeg on the input; hands over what it writes to its output. @throws SiltstoneError `invalid` (corrupt-file) */
export async function ffmpeg(
  { program, input, signal }: Ffmpeg,
  args: { before?: readonly string[]; after: readonly string[] },
  take: (bytes: Uint8Array) => Promise<void> | void,
): Promise<void> {
  // Only the file itself is opened: lists and manifests inside it must not name other files or addresses.
  const all = [
    ...program.args,
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
  const { code, errors } = await runChild(program.path, all, signal, take)
  if (code === 0) return
  const lines = errors.replaceAll(input, 'the file').trim().split('\n').slice(-3)
  throw corruptFile(`ffmpeg cannot read the file: ${lines.join(' ')}`)
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
export async function ffmpegReport({ program, input, signal }: Ffmpeg): Promise<string> {
  const args = [...program.args, '-hide_banner', '-nostdin', '-protocol_whitelist', 'file,pipe', '-i', input]
  const { errors } = await runChild(program.path, args, signal, () => undefined)
  return errors.replaceAll(input, 'the file')
}
