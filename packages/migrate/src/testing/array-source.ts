/** A source in memory, for tests: live like a server, or with a fingerprint like a directory. */
import type { MigrationSource, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'

export class ArraySource implements MigrationSource {
  readonly description = 'an array'
  readonly identity = 'array'
  readonly pageSize: number
  records: SourceRecord[]
  isLive = false
  hasVectors = true
  /** Ids to report as unfit. */
  readonly unfit = new Set<string>()
  /** Called before each page is returned. */
  beforePage: (offset: number) => void = () => {}
  pagesRead = 0

  constructor(records: SourceRecord[], pageSize = 10) {
    this.records = records
    this.pageSize = pageSize
  }

  readonly collection: SourceCollection = {
    name: 'notes',
    targetName: 'notes',
    space: 'cosine',
    metadata: '{"topic":"silt","f":1.0}',
    hnsw: { ef_search: 50 },
    embeddingFunction: { type: 'legacy' },
    dimension: 4,
  }

  async collections(): Promise<SourceCollection[]> {
    return [this.collection]
  }

  async open(_collection?: SourceCollection): Promise<SourceReader> {
    const reader: SourceReader = {
      collection: this.collection,
      count: async () => this.records.length,
      fingerprint: async () => (this.isLive ? null : String(this.records.length)),
      pages: (after) => this.#pages(after),
      fetch: async (ids) => {
        const wanted = new Set(ids)
        return new Map(this.records.filter(({ id }) => wanted.has(id)).map((record) => [record.id, record]))
      },
      hasVectors: () => this.hasVectors,
      close: async () => {},
    }
    if (this.isLive) reader.ids = () => this.#ids()
    return reader
  }

  async *#pages(after: string | null): AsyncGenerator<SourcePage> {
    for (let offset = Number(after ?? 0); offset < this.records.length; ) {
      this.beforePage(offset)
      const page = this.records.slice(offset, offset + this.pageSize)
      if (page.length === 0) return
      offset += page.length
      this.pagesRead++
      yield {
        records: page.filter(({ id }) => !this.unfit.has(id)),
        skipped: page
          .filter(({ id }) => this.unfit.has(id))
          .map(({ id }) => ({ id, kind: 'record' as const, reason: 'it is unfit' })),
        cursor: String(offset),
      }
    }
  }

  async *#ids(): AsyncGenerator<string[]> {
    for (let i = 0; i < this.records.length; i += this.pageSize)
      yield this.records.slice(i, i + this.pageSize).map(({ id }) => id)
  }

  async close(): Promise<void> {}
}

export function someRecords(count: number): SourceRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    vector: Float32Array.of(i + 1, 1, -i, 0.5),
    document: i % 3 === 0 ? null : `text ${i}`,
    metadata: i % 4 === 0 ? null : `{"i":${i},"f":${i}.0,"big":9007199254740993}`,
    uri: i % 5 === 0 ? `file:///${i}` : null,
  }))
}
