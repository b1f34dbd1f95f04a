/**
 * Writes one state of a collection to a directory, in files of bounded size. The core package does this itself: users
 * must be able to take their data out with what they have installed.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { conflict, isSiltstoneError, notFound } from '../errors.ts'
import { writeFileWhole } from '../host/files.ts'
import type { Filter } from '../model/filter.ts'
import type { GetResponse } from '../model/read.ts'
import type { Collection } from '../model/store.ts'
import {
  EXPORT_FILE,
  type ExportFile,
  type ExportFormat,
  type ExportPart,
  readExportFile,
  writeExportFile,
} from './export-file.ts'
import { type ExportedRecord, encodePart } from './part-formats.ts'

export interface ExportOptions {
  format: ExportFormat
  filter?: Filter
  /** The filter's text, kept in `export.json`. */
  where?: string
  /** Approximate bytes of vectors and texts in one part. Default 32 MiB. */
  partBytes?: number
  /** Replace an export that is in the directory. */
  restart?: boolean
  onProgress?: (records: number) => Promise<void>
}

export interface ExportOutcome {
  file: ExportFile
  /** An earlier, unfinished run was continued. */
  resumed: boolean
}

const PART_BYTES = 32 * 1024 * 1024
const PAGE_BYTES = 4 * 1024 * 1024
const RECORD_BYTES = 500

/**
 * Continues an unfinished export of the same collection, format and filter, in the state that it began with.
 * @throws SiltstoneError `conflict` (export-exists); `not-found` (gone) when the state of an unfinished export is no
 *   longer kept
 */
export async function exportCollection(
  collection: Collection,
  directory: string,
  options: ExportOptions,
): Promise<ExportOutcome> {
  const earlier = options.restart === true ? undefined : await readExportFile(directory)
  const file = earlier ?? newExport(collection, options)
  checkSame(file, collection, directory, options)
  let part: ExportedRecord[] = []
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
    const records = recordsFrom(page)
    part.push(...records)
    bytes += records.reduce((sum, record) => sum + sizeOf(record), 0)
    pageToken = page.pageToken ?? null
    if (pageToken === null || bytes >= (options.partBytes ?? PART_BYTES)) await flush()
  } while (pageToken !== null)
  return { file, resumed: earlier !== undefined }
}

function newExport({ info }: Collection, { format, where }: ExportOptions): ExportFile {
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
    throw conflict(
      'export-exists',
      `${directory} holds a finished export; choose another directory, or replace it with --restart`,
    )
  if (file.collection.id !== info.id || file.format !== options.format || file.where !== (options.where ?? null))
    throw conflict(
      'export-exists',
      `${join(directory, EXPORT_FILE)} belongs to another export (${file.collection.name}, ${file.format}); choose another directory, or replace it with --restart`,
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
    throw notFound('gone', 'the state that this export began with is no longer kept; start again with --restart', {
      cause: error,
    })
  }
}

/** The records of a response that has all columns. */
export function recordsFrom(page: GetResponse): ExportedRecord[] {
  return page.ids.map((id, i) => ({
    id,
    vector: page.embeddings?.[i] ?? null,
    document: page.documents?.[i] ?? null,
    metadata: page.metadatas?.[i] ?? null,
    uri: page.uris?.[i] ?? null,
  }))
}

async function writePart(directory: string, file: ExportFile, records: ExportedRecord[]): Promise<ExportPart> {
  const name = `part-${String(file.parts.length).padStart(5, '0')}.${file.format}`
  const bytes = encodePart(file.format, records)
  await writeFileWhole(join(directory, name), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { file: name, records: records.length, sizeBytes: bytes.length, sha256 }
}

function sizeOf({ vector, document, metadata }: ExportedRecord): number {
  return 100 + (vector?.byteLength ?? 0) + (document?.length ?? 0) + (metadata?.length ?? 0)
}
