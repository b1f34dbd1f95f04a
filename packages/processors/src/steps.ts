/** The steps of one processing: each says that it began, counts its records, and ends done or skipped. */
import { isSiltstoneError } from 'siltstone/passages'
import { monotonicMs } from './host/clock.ts'
import type { FlatMetadata, ProcessContext, RecordKind, StepSummary } from './processor.ts'

/** Records whose vectors are asked for together. */
const BATCH_RECORDS = 32

interface Waiting {
  kind: RecordKind
  document: string
  heading: string | undefined
  metadata: FlatMetadata
}

export class Steps {
  readonly summaries: Record<string, StepSummary> = {}
  readonly #ctx: ProcessContext

  constructor(ctx: ProcessContext) {
    this.#ctx = ctx
  }

  async run(name: string, work: (recorder: Recorder) => Promise<void>): Promise<void> {
    const startedMs = monotonicMs()
    const recorder = new Recorder(this.#ctx, name)
    await recorder.alive()
    await work(recorder)
    await recorder.flush()
    const durationMs = Math.round(monotonicMs() - startedMs)
    this.summaries[name] = { state: 'done', records: recorder.records, durationMs }
  }

  /** A step that is skipped when the content is not what it can read; what the other steps found stays. */
  async try(name: string, work: (recorder: Recorder) => Promise<void>): Promise<void> {
    try {
      await this.run(name, work)
    } catch (error) {
      if (!isSiltstoneError(error, 'invalid') || error.code !== 'corrupt-file') throw error
      this.skip(name, error.message)
    }
  }

  skip(name: string, reason: string): void {
    this.summaries[name] = { state: 'skipped', reason }
  }
}

export class Recorder {
  records = 0
  readonly #ctx: ProcessContext
  readonly #step: string
  readonly #waiting: Waiting[] = []

  constructor(ctx: ProcessContext, step: string) {
    this.#ctx = ctx
    this.#step = step
  }

  /**
   * Reports that the work goes on; stops it when the job was cancelled.
   * @param part of a step of many parts, each of which may take as long as a step
   */
  async alive(part?: number): Promise<void> {
    this.#ctx.signal.throwIfAborted()
    await this.#ctx.heartbeat(part === undefined ? this.#step : `${this.#step} ${part}`)
  }

  /** @param heading is embedded together with the document, because it often tells the topic better than the words under it */
  async add(kind: RecordKind, document: string, metadata: FlatMetadata, heading?: string): Promise<void> {
    if (document.trim() === '') return
    this.#waiting.push({ kind, document, heading, metadata })
    if (this.#waiting.length >= BATCH_RECORDS) await this.flush()
  }

  /** A record with a vector of its own. */
  async addEmbedded(
    kind: RecordKind,
    document: string,
    metadata: FlatMetadata,
    embedding: Float32Array,
  ): Promise<void> {
    await this.flush()
    this.#ctx.signal.throwIfAborted()
    await this.#ctx.emit({ step: this.#step, kind, document, embedding, metadata })
    this.records++
  }

  async flush(): Promise<void> {
    const batch = this.#waiting.splice(0)
    if (batch.length === 0) return
    await this.alive()
    const headed = batch.filter(({ heading }) => heading)
    const texts = headed.map(({ heading, document }) => `${heading}\n${document}`)
    const vectors = texts.length > 0 ? await this.#ctx.embedText(texts) : []
    const vectorOf = new Map(headed.map((record, k) => [record, vectors[k] as Float32Array]))
    for (const record of batch) {
      const { kind, document, heading, metadata } = record
      const embedding = vectorOf.get(record)
      await this.#ctx.emit({
        step: this.#step,
        kind,
        document,
        metadata: { ...(heading ? { heading } : {}), ...metadata },
        ...(embedding ? { embedding } : {}),
      })
      this.records++
    }
  }
}
