/**
 * The port of processors: what turns one stored object into records. A processor reads its object by ranges, hands out
 * records and derived files as it goes, and returns a summary; it neither stores states nor deletes anything.
 *
 * What the object itself is at fault for is a `SiltstoneError` of kind `invalid` or `unsupported`: processing it again
 * cannot help until the object or the installation changes. Its codes are in `failures.ts`. Every other error counts as
 * passing. A missing optional part is no error: it is a step that was skipped, with its reason.
 */

/** Range reads of one immutable version of an object. */
export interface RandomAccess {
  readonly sizeBytes: number
  /** The bytes from `offset` on: `length` of them, or fewer where the object ends. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** What a record is about. `container`: what a file says of itself, such as title, duration or camera. */
export type RecordKind = 'passage' | 'transcript' | 'scene' | 'subtitle' | 'container' | 'attachment'

/** Flat, as Chroma's metadata: no null, no list, no object. */
export type FlatMetadata = Record<string, string | number | boolean>

/** One record of an object. The caller adds the lineage of the object (`object_key`, `object_version`, `processor`, …). */
export interface ProcessedRecord {
  /** The step that made it. Records are numbered by step, so that ids stay when another step yields more or fewer. */
  step: string
  kind: RecordKind
  /** The text that is returned, and embedded unless `embedding` is given. */
  document: string
  /** The vector of the record. A passage under a heading is embedded together with it. */
  embedding?: Float32Array
  /** Where in the object: `page`, `heading`, `char_start`, `line_start`, `start_ms`, `end_ms`, `scene`, `thumbnail_key`, … */
  metadata: FlatMetadata
}

/** A part of a recording with its time. */
export interface TranscriptSegment {
  startMs: number
  endMs: number
  text: string
}

export interface PictureText {
  /** Lines; an empty line between paragraphs. */
  text: string
  /** 0 to 1. */
  confidence: number
}

/** A place for large temporary data of one job; its owner removes it when the job ends. */
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
  /**
   * Says that what was emitted so far is worth searching before the rest is there, which takes long. Missing where nobody
   * searches.
   * @param steps that have ended
   */
  publish?(steps: Record<string, StepSummary>): Promise<void>
  /** Stores a file beside the object's derived ones. @returns its key, for `thumbnail_key` and the like */
  putDerived(name: string, bytes: Uint8Array, contentType?: string): Promise<string>
  embedText(texts: readonly string[]): Promise<Float32Array[]>
  /** Vectors of images (JPEG, PNG or WebP files) in the space of `embedText`. */
  embedImage?(images: readonly Uint8Array[]): Promise<Float32Array[]>
  /** @param pcm mono, 16,000 samples a second, −1 to 1 */
  transcribe?(pcm: Float32Array, signal: AbortSignal): Promise<TranscriptSegment[]>
  /** The text in a picture (PNG, JPEG, WebP or BMP file). Given only where somebody asked for it: it takes seconds a page. */
  readText?(image: Uint8Array, signal: AbortSignal): Promise<PictureText>
  scratch: ScratchFolder
  /** The object's key or file name. Only a hint between kinds of text that look alike; never decides against the content. */
  name?: string
  /** Opens the object with the same key except for its extension: `sibling('.srt')` of `talk.mp4` is `talk.srt`. */
  sibling?(extension: string): Promise<RandomAccess | undefined>
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
  metadata?: FlatMetadata
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
