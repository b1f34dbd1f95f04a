/**
 * The port of processors: what turns one stored object into records. A processor reads its object by ranges, hands out
 * records and derived files as it goes, and returns a summary; it neither stores states nor deletes anything.
 *
 * A processor reports what the object is at fault for by a `SiltstoneError` of kind `invalid` or `unsupported`
 * (`encrypted`, `corrupt-file`, `needs-ffmpeg`): the object is not tried again until somebody asks for it. Every other
 * error counts as passing and is tried again. A missing optional part is no error: it is a step that was skipped, with
 * its reason.
 */

/** Range reads of one immutable version of an object. */
export interface RandomAccess {
  readonly sizeBytes: number
  /** The bytes from `offset` on: `length` of them, or fewer where the object ends. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** What a record is about. */
export type RecordKind = 'passage' | 'transcript' | 'scene' | 'subtitle' | 'container' | 'attachment'

/** One record of an object. The service adds the fields of the object's lineage to the metadata. */
export interface ProcessedRecord {
  /** Steps are numbered by name, so that ids stay the same when another step yields more or fewer records. */
  step: string
  kind: RecordKind
  /** The text that is embedded and returned. */
  document: string
  /** Given: it is stored instead of the vector of `document`. */
  embedding?: Float32Array
  /** Flat: `page`, `heading`, `char_start`, `start_ms`, `end_ms`, `scene`, `thumbnail_key`, … */
  metadata: Record<string, string | number | boolean>
}

/** A part of a recording with its time. */
export interface TranscriptSegment {
  startMs: number
  endMs: number
  text: string
}

/** A place for large temporary data of one job; removed when the job ends. */
export interface ScratchFolder {
  /** Absolute path of an existing, empty directory. */
  readonly path: string
  freeBytes(): Promise<number>
}

export interface ProcessContext {
  /** Aborted when the job loses its claim or its time is over. */
  signal: AbortSignal
  /** Says that the work goes on, and what it does now; extends the claim. */
  heartbeat(step: string): Promise<void>
  emit(record: ProcessedRecord): Promise<void>
  /** Stores a file beside the object's derived ones. @returns its key, for `thumbnail_key` and the like */
  putDerived(name: string, bytes: Uint8Array, contentType?: string): Promise<string>
  embedText(texts: readonly string[]): Promise<Float32Array[]>
  embedImage?(images: readonly Uint8Array[]): Promise<Float32Array[]>
  /** @param pcm mono, 16,000 samples a second, −1 to 1 */
  transcribe?(pcm: Float32Array, signal: AbortSignal): Promise<TranscriptSegment[]>
  scratch: ScratchFolder
}

/** How one step of a processor ended. */
export interface StepSummary {
  state: 'done' | 'skipped'
  /** Why it was skipped, and what would have to be there. */
  reason?: string
  records?: number
  durationMs?: number
}

export interface Summary {
  /** From the content, not from the name: `application/pdf`. */
  contentType: string
  steps: Record<string, StepSummary>
  /** Of the whole object: title, duration, pages. */
  metadata?: Record<string, string | number | boolean>
}

export interface Processor {
  /** Stable; part of the lineage of records. */
  readonly name: string
  /** Changes when the same object would give other records: they are made again then. */
  readonly version: string
  /**
   * How well this processor fits, 0 (not at all) to 1.
   * @param type the content type that was stored with the object; it may be wrong
   * @param head the first bytes of the object, at most 4,096
   */
  accepts(type: string, head: Uint8Array): number
  process(source: RandomAccess, ctx: ProcessContext): Promise<Summary>
}
