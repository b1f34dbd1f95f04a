/**
 * `export.json` describes an export and lists its files (parts). While the export is being written, it also holds the
 * page token at which to resume. It is replaced atomically after each part, so an export that was killed writes at most
 * one part again, under the same name.
 */
import { join } from 'node:path'
import { corrupt, isSiltstoneError } from '../errors.ts'
import { readFileText, writeFileWhole } from '../host/files.ts'
import type { Space } from '../model/collection.ts'

export const EXPORT_FILE = 'export.json'
export const EXPORT_FORMATS = ['jsonl', 'arrow'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export interface ExportPart {
  file: string
  records: number
  sizeBytes: number
  /** Hexadecimal. */
  sha256: string
}

export interface ExportFile {
  siltstoneExport: 1
  collection: {
    name: string
    id: string
    space: Space
    dimension: number | null
    /** Exact JSON text, or null. */
    metadata: string | null
    hnsw: Record<string, unknown> | null
    embeddingFunction: Record<string, unknown> | null
  }
  format: ExportFormat
  /** The filter as the caller gave it, null for all records. */
  where: string | null
  /** The exported state: the number of a log entry. Null until the first page was read. */
  version: number | null
  records: number
  parts: ExportPart[]
  complete: boolean
  /** Where to resume; null at the end. */
  pageToken: string | null
}

/**
 * @returns undefined when the directory has no `export.json`
 * @throws SiltstoneError `corrupt` (export-file)
 */
export async function readExportFile(directory: string): Promise<ExportFile | undefined> {
  const path = join(directory, EXPORT_FILE)
  try {
    const file = JSON.parse(await readFileText(path)) as ExportFile
    if (file.siltstoneExport === 1) return file
  } catch (cause) {
    if (isSiltstoneError(cause, 'not-found')) return undefined
    if (isSiltstoneError(cause)) throw cause
    throw corrupt('export-file', `${path} is not JSON: ${String(cause)}`, { cause })
  }
  throw corrupt('export-file', `${path} describes no export that this version of Siltstone can read`)
}

export function writeExportFile(directory: string, file: ExportFile): Promise<void> {
  return writeFileWhole(join(directory, EXPORT_FILE), `${JSON.stringify(file, null, 2)}\n`)
}
