/** Processes one file and keeps what comes out, for programs that have no object service. */
import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcessContext, ProcessedRecord, Processor, RandomAccess, Summary } from '../processor.ts'
import { chooseProcessor } from '../registry.ts'

export interface CollectOptions
  extends Partial<
    Pick<ProcessContext, 'signal' | 'name' | 'sibling' | 'heartbeat' | 'embedText' | 'embedImage' | 'transcribe'>
  > {
  /** The content type that is known of the file; it may be wrong. */
  type?: string
}

export interface CollectedFile {
  /** The processor that was chosen. */
  processor: string
  records: ProcessedRecord[]
  /** Files that were made, such as thumbnails, by the name that records have in `thumbnail_key`. */
  derived: Map<string, Uint8Array>
  summary: Summary
}

/**
 * Without `embedText`, records have no vectors. Embed each one as its heading, if it has one, a line break, and its document.
 * @throws SiltstoneError `unsupported` (unsupported-type), and what the processor throws
 */
export async function collectRecords(
  processors: readonly Processor[],
  source: RandomAccess,
  { type = '', ...given }: CollectOptions = {},
): Promise<CollectedFile> {
  const { processor } = await chooseProcessor(processors, source, type)
  const records: ProcessedRecord[] = []
  const derived = new Map<string, Uint8Array>()
  const path = await mkdtemp(join(tmpdir(), 'siltstone-process-'))
  try {
    const summary = await processor.process(source, {
      signal: new AbortController().signal,
      heartbeat: async () => undefined,
      // No vectors: none are given to records.
      embedText: async () => [],
      ...given,
      emit: async (record) => void records.push(record),
      putDerived: async (name, bytes) => {
        derived.set(name, bytes)
        return name
      },
      scratch: { path, freeBytes: () => freeBytes(path) },
    })
    return { processor: processor.name, records, derived, summary }
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}
