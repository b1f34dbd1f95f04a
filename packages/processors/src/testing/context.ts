/** A context for tests that keeps what a processor hands out. */
import type { FlatMetadata, ProcessContext, ProcessedRecord, Processor, RandomAccess, Summary } from '../processor.ts'
import { accessBytes } from '../access.ts'

export interface Collected {
  records: ProcessedRecord[]
  derived: Map<string, Uint8Array>
  heartbeats: string[]
  summary: Summary
}

/** Vectors of two numbers: enough to tell what was embedded. */
const vectorOf = (text: string) => Float32Array.from([text.length, text.split('\n').length])

export function collectingContext(more: Partial<ProcessContext> = {}) {
  const collected = {
    records: [] as ProcessedRecord[],
    derived: new Map<string, Uint8Array>(),
    heartbeats: [] as string[],
  }
  const ctx: ProcessContext = {
    signal: new AbortController().signal,
    heartbeat: async (step) => void collected.heartbeats.push(step),
    emit: async (record) => void collected.records.push(record),
    putDerived: async (name, bytes) => {
      collected.derived.set(name, bytes)
      return `derived/${name}`
    },
    embedText: async (texts) => texts.map(vectorOf),
    scratch: { path: '/nonexistent', freeBytes: async () => 0 },
    ...more,
  }
  return { ctx, collected }
}

export async function collect(
  processor: Processor,
  source: Uint8Array | string | RandomAccess,
  more: Partial<ProcessContext> = {},
): Promise<Collected> {
  const { ctx, collected } = collectingContext(more)
  const access =
    typeof source === 'string'
      ? accessBytes(new TextEncoder().encode(source))
      : source instanceof Uint8Array
        ? accessBytes(source)
        : source
  const summary = await processor.process(access, ctx)
  return { ...collected, summary }
}

export const documentsOf = ({ records }: Pick<Collected, 'records'>): string[] =>
  records.map(({ document }) => document)
export const metadatasOf = ({ records }: Pick<Collected, 'records'>): FlatMetadata[] =>
  records.map(({ metadata }) => metadata)
