/** The processors that turn objects into records: those of `@siltstone/processors`, which users install when they need it. */
import type { ProcessContext, Processor, RandomAccess } from '@siltstone/processors'
import { environmentVariables, isSiltstoneError, unsupported } from 'siltstone/internal'

export interface Pipeline {
  /** @throws SiltstoneError `unsupported` (unsupported-type) if no processor accepts the content */
  choose(source: RandomAccess, type: string): Promise<Processor>
  /** The present version of a processor; undefined for one that is not there. */
  versionOf(name: string): string | undefined
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
 *   (ocr-missing) if pictures are to be read and the packages for it are not installed
 */
export async function loadPipeline(options: PipelineOptions = {}): Promise<Pipeline> {
  const { chooseProcessor, installedTranscriber, isolatedProcessors, whisperTranscriber } = await loadProcessors()
  const ocr = options.ocr ?? environmentVariables()['SILTSTONE_OCR']
  const isolated = await isolatedProcessors({
    ...(options.memoryBytes !== undefined && { memoryBytes: options.memoryBytes }),
    ...(ocr && { ocr }),
  })
  const { processors } = isolated
  const model = options.whisperModel ?? environmentVariables()['SILTSTONE_WHISPER_MODEL']
  const found = model === undefined || model === '' ? await installedTranscriber() : whisperTranscriber({ model })
  const transcriber = typeof found === 'string' ? undefined : found
  return {
    choose: async (source, type) => (await chooseProcessor(processors, source, type)).processor,
    versionOf: (name) => processors.find((one) => one.name === name)?.version,
    ...(transcriber && { transcribe: (pcm, signal) => transcriber.transcribe(pcm, signal) }),
    close: async () => {
      await isolated.close()
      await transcriber?.close()
    },
  }
}

async function loadProcessors(): Promise<typeof import('@siltstone/processors')> {
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
