/** The messages between a job's process and the process that started it. */
import { isSiltstoneError, SiltstoneError, type ErrorKind } from 'siltstone/passages'
import type { Summary } from '../processor.ts'
import type { ProcessorSettings } from '../settings.ts'

export interface JobData {
  settings: ProcessorSettings
  /** Modules whose default export is a processor of the user, by URL. */
  modules: readonly string[]
  /** Languages of text in pictures, which the process itself reads. */
  ocr: string | undefined
}

/** Calls that a job makes to the context that its caller gave. */
export type Method =
  | 'read'
  | 'heartbeat'
  | 'emit'
  | 'publish'
  | 'putDerived'
  | 'embedText'
  | 'embedImage'
  | 'transcribe'
  | 'readText'
  | 'freeBytes'
  | 'sibling'

export type ToJob =
  | {
      kind: 'start'
      processor: string
      sizeBytes: number
      scratch: string
      name: string | undefined
      has: readonly Method[]
    }
  | { kind: 'abort'; reason: string }
  | { kind: 'answer'; call: number; value?: unknown; failed?: string }

export type FromJob =
  | { kind: 'call'; call: number; method: Method; args: readonly unknown[] }
  | { kind: 'done'; summary: Summary }
  | { kind: 'failed'; error: PlainError }
  | { kind: 'child'; pid: number; isRunning: boolean }

/** An error as it crosses processes. */
export interface PlainError {
  name: string
  message: string
  stack: string | undefined
  siltstone?: { kind: ErrorKind; code: string }
  /** The call to the context that failed: its error is known where it was thrown. */
  call?: number
}

/** In the job's process: a call to the context failed. */
export class CallFailed extends Error {
  readonly call: number
  constructor(call: number, message: string) {
    super(message)
    this.call = call
  }
}

export function plainError(error: unknown): PlainError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  return {
    name,
    message,
    stack,
    ...(isSiltstoneError(error) && { siltstone: { kind: error.kind, code: error.code } }),
    ...(error instanceof CallFailed && { call: error.call }),
  }
}

export function errorOf({ name, message, stack, siltstone }: PlainError): Error {
  const error = siltstone ? new SiltstoneError(siltstone.kind, siltstone.code, message) : new Error(message)
  if (!siltstone) error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
