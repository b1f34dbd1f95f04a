/** Writes a collection, as it is at one moment, into a directory of files of a bounded size. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  type Collection,
  conflict,
  type Filter,
  type GetResponse,
  isSiltstoneError,
  notFound,
  writeFileWhole,
} from 'siltstone/internal'
import type { SourceRecord } from '../types.ts'
import { EXPORT_FILE, type ExportFile, type ExportFormat, readExportFile, writeExportFile } from './export-file.ts'
import { encodePart } from './part-formats.ts'

export interface ExportOptions {
  format: ExportFormat
  filter?: Filter
  /** The filter's text, to be noted. */
  where?: string
  /** Bytes of vectors and texts in a part, about. Default 32 MB. */
  partBytes?: number
  /** Forget an export that was not finished. */
  restart?: boolean
  onProgress?: (records: number) => Promise<void>
}

export interface ExportOutcome {
  file: ExportFile
  /** Went on where an earlier run had stopped. */
  resumed: boolean
}

const PART_BYTES = 32 * 1024 * 1024
const PAGE_BYTES = 4 * 1024 * 1024
const RECORD_BYTES = 500

/**
 * @throws SiltstoneError `conflict` (export-exists), `not-found` (gone): the state of an unfinished export is no longer
 *   kept
 */
export async function exportCollection(
  collection: Collection,
  directory: string,
  options: ExportOptions,
): Promise<ExportOutcome> {
  const earlier = options.restart === true ? undefined : await readExportFile(directory)
  const file = earlier ?? begin(collection, options)
  checkSame(file, collection, directory, options)
  let part: SourceRecord[] = []
  let bytes = 0
  let pageToken: string | null = file.pageToken
  const flush = async (): Promise<void> => {
    if (part.length > 0) file.parts.push(await writePart(directory, file, part))
    file.records += part.length
    file.pageToken = pageToken
    file.complete = pageToken === null
    part = []
    bytes = 0
    await writeExportFile(directory, file)
    await options.onProgress?.(file.records)
  }
  do {
    const page = await readPage(collection, pageToken, options, file.collection.dimension)
    file.version ??= page.version
    const records = recordsOf(page)
    part.push(...records)
    bytes += records.reduce((sum, record) => sum + sizeOf(record), 0)
    pageToken = page.pageToken ?? null
    if (pageToken === null || bytes >= (options.partBytes ?? PART_BYTES)) await flush()
  } while (pageToken !== null)
  return { file, resumed: earlier !== undefined }
}

function begin({ info }: Collection, { format, where }: ExportOptions): ExportFile {
  const { name, id, space, dimension, metadata, configuration } = info
  return {
    siltstoneExport: 1,
    collection: {
      name,
      id,
      space,
      dimension,
      metadata,
      hnsw: (configuration['hnsw'] ?? null) as Record<string, unknown> | null,
      embeddingFunction: (configuration['embedding_function'] ?? null) as Record<string, unknown> | null,
    },
    format,
    where: where ?? null,
    version: null,
    records: 0,
    parts: [],
    complete: false,
    pageToken: null,
  }
}

function checkSame(file: ExportFile, { info }: Collection, directory: string, options: ExportOptions): void {
  if (file.complete)
    throw conflict('export-exists', `${directory} holds a finished export; choose another directory, or give --restart`)
  if (file.collection.id !== info.id || file.format !== options.format || file.where !== (options.where ?? null))
    throw conflict(
      'export-exists',
      `${join(directory, EXPORT_FILE)} is of another export (${file.collection.name}, ${file.format}); choose another directory, or give --restart`,
    )
}

async function readPage(
  collection: Collection,
  pageToken: string | null,
  { filter }: ExportOptions,
  dimension: number | null,
): Promise<GetResponse> {
  try {
    return await collection.get({
      include: { embeddings: true, documents: true, metadatas: true, uris: true },
      limit: Math.max(100, Math.floor(PAGE_BYTES / ((dimension ?? 256) * 4 + RECORD_BYTES))),
      ...(filter && { filter }),
      ...(pageToken !== null && { pageToken }),
    })
  } catch (error) {
    if (pageToken === null || !isSiltstoneError(error, 'not-found') || error.code !== 'gone') throw error
    throw notFound('gone', `the state that this export began with is no longer kept: begin again with --restart`, {
      cause: error,
    })
  }
}

/** The records of an answer with all columns. */
export function recordsOf(page: GetResponse): SourceRecord[] {
  return page.ids.map((id, i) => ({
    id,
    vector: page.embeddings?.[i] ?? null,
    document: page.documents?.[i] ?? null,
    metadata: page.metadatas?.[i] ?? null,
    uri: page.uris?.[i] ?? null,
  }))
}

async function writePart(directory: string, file: ExportFile, records: SourceRecord[]) {
  const name = `part-${String(file.parts.length).padStart(5, '0')}.${file.format}`
  const bytes = encodePart(file.format, records)
  await writeFileWhole(join(directory, name), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { file: name, records: records.length, sizeBytes: bytes.length, sha256 }
}

function sizeOf({ vector, document, metadata }: SourceRecord): number {
  return 100 + (vector?.byteLength ?? 0) + (document?.length ?? 0) + (metadata?.length ?? 0)
}
