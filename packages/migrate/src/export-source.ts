/** A directory that `siltstone export` wrote, as a source: records and the collection's configuration. */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import {
  conflict,
  corrupt,
  decodePart,
  EXPORT_FILE,
  type ExportFile,
  type ExportPart,
  isSiltstoneError,
  notFound,
  readExportFile,
  readFileBytes,
} from 'siltstone/internal'
import type { MigrationSource, Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from './types.ts'

const PAGE_RECORDS = 2_000

/** @throws SiltstoneError `not-found` (export-missing), `conflict` (export-unfinished), `corrupt` (export-file) */
export async function openExport(directory: string): Promise<MigrationSource> {
  const file = await readExportFile(directory)
  if (file === undefined)
    throw notFound('export-missing', `there is no ${EXPORT_FILE} in ${directory}`, { field: 'directory' })
  if (!file.complete)
    throw conflict('export-unfinished', `the export in ${directory} is not finished; run "siltstone export" again`)
  const { name, space, dimension, metadata, hnsw, embeddingFunction } = file.collection
  const collection: SourceCollection = {
    name,
    targetName: name,
    space,
    metadata,
    hnsw,
    embeddingFunction,
    dimension,
  }
  return {
    description: `the export in ${directory}`,
    identity: `export:${resolve(directory)}`,
    collections: async () => [collection],
    open: async () => new ExportReader(directory, file, collection),
    close: async () => {},
  }
}

class ExportReader implements SourceReader {
  readonly collection: SourceCollection
  readonly #directory: string
  readonly #file: ExportFile

  constructor(directory: string, file: ExportFile, collection: SourceCollection) {
    this.#directory = directory
    this.#file = file
    this.collection = collection
  }

  async count(): Promise<number> {
    return this.#file.records
  }

  async fingerprint(): Promise<string> {
    return createHash('sha256').update(JSON.stringify(this.#file.parts)).digest('hex')
  }

  /** The cursor is `<part>:<records of it that were read>`. */
  async *pages(after: string | null): AsyncGenerator<SourcePage> {
    const [firstPart = 0, firstRecord = 0] = after === null ? [] : after.split(':').map(Number)
    for (let part = firstPart; part < this.#file.parts.length; part++) {
      const { file, records: count } = this.#file.parts[part] as ExportPart
      let records: SourceRecord[]
      try {
        records = await this.#read(this.#file.parts[part] as ExportPart)
      } catch (error) {
        if (!isSiltstoneError(error, 'corrupt') && !isSiltstoneError(error, 'not-found')) throw error
        const id = join(this.#directory, file)
        const skipped: Skipped[] = [{ id, kind: 'file', reason: error.message, records: count }]
        yield { records: [], skipped, cursor: `${part + 1}:0` }
        continue
      }
      for (let i = part === firstPart ? firstRecord : 0; i < records.length; i += PAGE_RECORDS) {
        const page = records.slice(i, i + PAGE_RECORDS)
        yield { records: page, skipped: [], cursor: `${part}:${i + page.length}` }
      }
    }
  }

  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const wanted = new Set(ids)
    const found = new Map<string, SourceRecord>()
    if (wanted.size === 0) return found
    for await (const { records } of this.pages(null))
      for (const record of records) if (wanted.has(record.id)) found.set(record.id, record)
    return found
  }

  async close(): Promise<void> {}

  async #read({ file, sha256, records: count }: ExportPart): Promise<SourceRecord[]> {
    const path = join(this.#directory, file)
    const bytes = await readFileBytes(path)
    if (createHash('sha256').update(bytes).digest('hex') !== sha256)
      throw corrupt('export-part', `${path} has changed since it was written: its checksum differs`)
    const records = decodePart(this.#file.format, bytes, path)
    if (records.length !== count) throw corrupt('export-part', `${path} holds ${records.length} records, not ${count}`)
    return records
  }
}
