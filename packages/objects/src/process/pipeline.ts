/** The processors that turn objects into records: those of `@siltstone/processors`, which users install when they need it. */
import type { ProcessContext, Processor, RandomAccess, Transcriber } from '@siltstone/processors'
import { environmentVariables, isSiltstoneError, unsupported } from 'siltstone/internal'
import { TEMPORARY_PREFIX } from './rules.ts'

export interface Pipeline {
  /** @throws SiltstoneError `unsupported` (unsupported-type) if no processor accepts the content */
  choose(source: RandomAccess, type: string): Promise<Processor>
  /** The present version of a processor; undefined for one that is not there. */
  versionOf(name: string): string | undefined
  /** Undefined: speech is not transcribed. */
  transcriber?: string
  transcribe?: ProcessContext['transcribe']
  close(): Promise<void>
}

export interface PipelineOptions {
  /**
   * A model of whisper.cpp (ggml) for transcripts on this machine. Default: the variable `SILTSTONE_WHISPER_MODEL`, then the
   * model of `@siltstone/transcriber-english` if it is installed.
   */
  whisperModel?: string
  /**
   * Has speech transcribed by Amazon Transcribe instead: the bucket for the audio of its jobs. Default: the variable
   * `SILTSTONE_TRANSCRIBE_BUCKET`.
   */
  transcribeBucket?: string
  /** The language of speech, as Amazon Transcribe names it. Default: the variable `SILTSTONE_TRANSCRIBE_LANGUAGE`, then Transcribe finds out. */
  transcribeLanguage?: string
  /**
   * Languages of text in pictures, as `eng+deu`: it is read by tesseract.js. Default: the variable `SILTSTONE_OCR`; without it
   * pictures are not read.
   */
  ocr?: string
  /** Of one child process, beyond what it needs when it reads nothing. Default 1 GiB. */
  memoryBytes?: number
}

/**
 * Processors in child processes with limits of memory and time.
 * @throws SiltstoneError `unsupported` (processor-missing) if `@siltstone/processors` is not installed or does not load,
 *   (ocr-missing) if pictures are to be read and the packages for it are not installed, `invalid` (transcriber-option) for a
 *   name that no bucket has
 */
export async function loadPipeline(options: PipelineOptions = {}): Promise<Pipeline> {
  const found = await loadProcessors()
  const { chooseProcessor, isolatedProcessors } = found
  const transcriber = await chooseTranscriber(options, found)
  const ocr = options.ocr ?? environmentVariables()['SILTSTONE_OCR']
  const isolated = await isolatedProcessors({
    ...(options.memoryBytes !== undefined && { memoryBytes: options.memoryBytes }),
    ...(ocr && { ocr }),
  })
  const { processors } = isolated
  return {
    choose: async (source, type) => (await chooseProcessor(processors, source, type)).processor,
    versionOf: (name) => processors.find((one) => one.name === name)?.version,
    ...(transcriber && {
      transcriber: transcriber.name,
      transcribe: (pcm, signal) => transcriber.transcribe(pcm, signal),
    }),
    close: async () => {
      await isolated.close()
      await transcriber?.close()
    },
  }
}

type Processors = typeof import('@siltstone/processors')

async function chooseTranscriber(
  options: PipelineOptions,
  { awsTranscriber, installedTranscriber, whisperTranscriber }: Processors,
): Promise<Transcriber | undefined> {
  const variables = environmentVariables()
  const bucket = options.transcribeBucket ?? variables['SILTSTONE_TRANSCRIBE_BUCKET']
  const language = options.transcribeLanguage ?? variables['SILTSTONE_TRANSCRIBE_LANGUAGE']
  if (bucket) return awsTranscriber({ bucket, prefix: TEMPORARY_PREFIX, ...(language && { language }) })
  const model = options.whisperModel ?? variables['SILTSTONE_WHISPER_MODEL']
  if (model) return whisperTranscriber({ model })
  const found = await installedTranscriber()
  return typeof found === 'string' ? undefined : found
}

async function loadProcessors(): Promise<Processors> {
  try {
    return await import('@siltstone/processors')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw unsupported(
      'processor-missing',
      `Objects are not processed without the package @siltstone/processors: install it with \`npm install @siltstone/processors\`. (${why})`,
      { cause },
    )
  }
}

/** What is the object's fault, or that of the installation: another attempt cannot help. */
export const isPermanent = (error: unknown): boolean =>
  isSiltstoneError(error, 'invalid') || isSiltstoneError(error, 'unsupported')
