/** whisper.cpp for this platform. */
import { createRequire } from 'node:module'

export interface WhisperRuntime {
  WhisperContext: {
    new (options: { filePath: string; useGpu: boolean }): WhisperContext
    /** What it says while it loads goes to the listener; without one, or when it is off, to stderr. */
    toggleNativeLog(isOn: boolean, listener?: (level: string, text: string) => void): void
  }
}

export interface WhisperContext {
  /** @param samples mono, 16,000 a second, as signed numbers of 16 bits */
  transcribeData(
    samples: ArrayBuffer,
    options: { language: string; maxThreads: number },
  ): {
    stop(): Promise<void>
    /** Times are in milliseconds. */
    promise: Promise<{ segments: { text: string; t0: number; t1: number }[] }>
  }
  release(): Promise<void>
}

/** @throws Error with the code `MODULE_NOT_FOUND` or `ERR_DLOPEN_FAILED` where there is none for this platform */
export function loadRuntime(): WhisperRuntime {
  const name = `@fugood/node-whisper-${process.platform}-${process.arch}`
  return createRequire(import.meta.url)(name) as WhisperRuntime
}
