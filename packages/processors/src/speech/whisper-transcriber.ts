/**
 * Transcripts by whisper.cpp on this machine, through `@fugood/whisper.node`, which the user installs. The model is a file
 * in ggml's format. It is loaded at the first call and stays in memory; calls follow one another, since one call uses
 * all threads that it may.
 */
import { createRequire } from 'node:module'
import { invalid, unsupported } from 'siltstone/passages'
import { isMissing } from '../host/optional.ts'
import { samplesOf, type Transcriber } from './transcriber.ts'

export interface WhisperOptions {
  /** Path of a model in ggml's format: `ggml-tiny.en.bin`. */
  model: string
  /** ISO 639-1. Default `en`; `auto` asks the model. */
  language?: string
  /** Default 2. */
  threads?: number
}

/** What is used of the runtime. */
export interface WhisperRuntime {
  initWhisper(options: { filePath: string; useGpu: boolean }): Promise<WhisperContext>
}

interface WhisperContext {
  transcribeData(
    samples: ArrayBuffer,
    options: { language: string; maxThreads: number },
  ): { stop(): Promise<void>; promise: Promise<{ segments: { text: string; t0: number; t1: number }[] }> }
  release(): Promise<void>
}

const RUNTIME = '@fugood/whisper.node'

const INSTALL =
  'transcribing on this machine needs whisper.node and its part for this platform, for example: npm install --omit=optional @fugood/whisper.node @fugood/node-whisper-linux-x64'

/** @param load for tests: the runtime instead of the installed one */
export function whisperTranscriber(
  options: WhisperOptions,
  load: () => Promise<WhisperRuntime> = loadRuntime,
): Transcriber {
  const { model, language = 'en', threads = 2 } = options
  let context: Promise<WhisperContext> | undefined
  let last: Promise<unknown> = Promise.resolve()

  const open = async (): Promise<WhisperContext> => {
    const runtime = await load()
    try {
      return await runtime.initWhisper({ filePath: model, useGpu: false })
    } catch (error) {
      throw invalid('transcriber-option', `the model ${model} cannot be loaded`, { field: 'model', cause: error })
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
    name: `whisper/${model.replace(/^.*[/\\]/, '')}`,
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

async function loadRuntime(): Promise<WhisperRuntime> {
  try {
    return createRequire(import.meta.url)(RUNTIME) as WhisperRuntime
  } catch (error) {
    if (isMissing(error)) throw unsupported('transcriber-missing', INSTALL, { cause: error })
    throw error
  }
}
