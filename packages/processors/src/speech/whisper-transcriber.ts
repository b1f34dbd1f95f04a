/**
 * Transcripts by whisper.cpp on this machine. The package `@siltstone/transcriber-english`, which the user installs, has the
 * runtime for this platform and a model of English; another model is a file in ggml's format. The model is loaded at the
 * first call and stays in memory; calls follow one another, since one call uses all threads that it may.
 */
import { existsSync } from 'node:fs'
import { invalid, unsupported } from 'siltstone/passages'
import { isMissing } from '../host/optional.ts'
import { samplesOf, type Transcriber } from './transcriber.ts'

export interface WhisperOptions {
  /** Path of a model in ggml's format. Default: Whisper tiny.en of `@siltstone/transcriber-english`. */
  model?: string
  /** ISO 639-1. Default `en`; `auto` asks the model. */
  language?: string
  /** Default 2. */
  threads?: number
}

export const NEEDS_TRANSCRIBER = 'needs a transcriber: npm install @siltstone/transcriber-english'

/** What is used of the package. */
export interface WhisperPackage {
  readonly modelPath: string
  loadRuntime(): WhisperRuntime
}

interface WhisperRuntime {
  WhisperContext: {
    new (options: { filePath: string; useGpu: boolean }): WhisperContext
    toggleNativeLog(isOn: boolean, listener?: () => void): void
  }
}

interface WhisperContext {
  transcribeData(
    samples: ArrayBuffer,
    options: { language: string; maxThreads: number },
  ): { stop(): Promise<void>; promise: Promise<{ segments: { text: string; t0: number; t1: number }[] }> }
  release(): Promise<void>
}

/**
 * The transcriber of `@siltstone/transcriber-english`; or the reason why it cannot be used, which says what to install.
 * @param load for tests: the package instead of the installed one
 */
export async function installedTranscriber(
  load: () => Promise<WhisperPackage> = loadPackage,
): Promise<Transcriber | string> {
  let found: WhisperPackage
  try {
    found = await load()
    found.loadRuntime()
  } catch (error) {
    if (isMissing(error)) return missing(error)
    throw error
  }
  if (!existsSync(found.modelPath)) return withoutModel(found)
  return whisperTranscriber({}, async () => found)
}

/** @param load for tests: the package instead of the installed one */
export function whisperTranscriber(
  options: WhisperOptions = {},
  load: () => Promise<WhisperPackage> = loadPackage,
): Transcriber {
  const { model, language = 'en', threads = 2 } = options
  let context: Promise<WhisperContext> | undefined
  let last: Promise<unknown> = Promise.resolve()

  const open = async (): Promise<WhisperContext> => {
    const [found, runtime] = await loadWhole(load)
    const filePath = model ?? found.modelPath
    if (model === undefined && !existsSync(filePath)) throw unsupported('transcriber-missing', withoutModel(found))
    // Without a listener the runtime writes to stderr; a listener that stays would keep the process alive.
    runtime.WhisperContext.toggleNativeLog(true, () => undefined)
    try {
      return new runtime.WhisperContext({ filePath, useGpu: false })
    } catch (error) {
      throw invalid('transcriber-option', `the model ${filePath} cannot be loaded`, { field: 'model', cause: error })
    } finally {
      runtime.WhisperContext.toggleNativeLog(false)
    }
  }
  const run = async (pcm: Float32Array, signal: AbortSignal) => {
    signal.throwIfAborted()
    context ??= open()
    // A failure is not kept: the model may be there at the next call.
    context.catch(() => (context = undefined))
    const running = (await context).transcribeData(samplesOf(pcm).buffer, { language, maxThreads: threads })
    const abort = () => void running.stop()
    signal.addEventListener('abort', abort)
    try {
      const { segments } = await running.promise
      signal.throwIfAborted()
      return segments.flatMap(({ text, t0, t1 }) =>
        isSpeech(text) ? [{ startMs: t0, endMs: Math.max(t0, t1), text: text.trim() }] : [],
      )
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
  const close = async () => {
    await last.catch(() => undefined)
    const opened = context
    context = undefined
    await (await opened)?.release()
  }
  return {
    name: `whisper/${model === undefined ? 'tiny.en' : model.replace(/^.*[/\\]/, '')}`,
    transcribe(pcm, signal) {
      const result = last.then(() => run(pcm, signal))
      last = result.catch(() => undefined)
      return result
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Whisper writes sounds in brackets: [BLANK_AUDIO], (music). */
const isSpeech = (text: string) => text.trim() !== '' && !/^\s*[[(][^\])]*[\])]\s*$/.test(text)

const loadPackage = (): Promise<WhisperPackage> => import('@siltstone/transcriber-english')

async function loadWhole(load: () => Promise<WhisperPackage>): Promise<[WhisperPackage, WhisperRuntime]> {
  try {
    const found = await load()
    return [found, found.loadRuntime()]
  } catch (error) {
    if (isMissing(error)) throw unsupported('transcriber-missing', missing(error), { cause: error })
    throw error
  }
}

const missing = (error: unknown) => {
  const isPackage = error instanceof Error && error.message.includes('@siltstone/transcriber-english')
  const platform = `${process.platform}-${process.arch}`
  return isPackage
    ? NEEDS_TRANSCRIBER
    : `there is no whisper.cpp for ${platform} (${error instanceof Error ? error.message.split('\n')[0] : String(error)}): install the package @fugood/node-whisper-${platform}, or use a server with openAiTranscriber`
}

const withoutModel = ({ modelPath }: WhisperPackage) =>
  `the model ${modelPath} is not there: install @siltstone/transcriber-english again, or in a clone of the repository run npm run build:speech-model`
