/**
 * `export.json`: what an export holds, beside its parts. While it is being written it also says where to go on; it is
 * replaced whole after each part, so an export that was killed repeats at most one part, under the same name.
 */
import { join } from 'node:path'
import { corrupt, isSiltstoneError, readFileText, type Space, writeFileWhole } from 'siltstone/internal'

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
  /** The filter as it was given, null for all records. */
  where: string | null
  /** The state that is exported: the number of a log entry. */
  version: number | null
  records: number
  parts: ExportPart[]
  complete: boolean
  /** Where to go on. */
  pageToken: string | null
}

/** @throws SiltstoneError `corrupt` (export-file) */
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
  throw corrupt('export-file', `${path} does not describe an export of this version`)
}

export function writeExportFile(directory: string, file: ExportFile): Promise<void> {
  return writeFileWhole(join(directory, EXPORT_FILE), `${JSON.stringify(file, null, 2)}\n`)
}
