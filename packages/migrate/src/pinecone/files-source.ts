/**
 * Pinecone's Parquet files, in the layout of its imports from and backups to object storage: one directory per namespace
 * (`__default__` is the default namespace), the columns `id`, `values`, `metadata` (JSON text) and `sparse_values`
 * (docs.pinecone.io, “Import vectors”, Parquet file format). The files do not contain the metric; the caller gives it.
 */
import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { type FileMetaData, parquetMetadataAsync, type RowGroup } from 'hyparquet'
import {
  corrupt,
  isSiltstoneError,
  notFound,
  openRandomAccess,
  type RandomAccessFile,
  type Space,
  walkDirectory,
  type WalkedFile,
} from 'siltstone/internal'
import { targetName } from '../names.ts'
import type { MigrationSource, Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'
import { ParquetColumn } from './parquet-column.ts'
import { isSkipped, parseMetadataJson, type PineconeRecordOptions, recordFrom } from './records.ts'

export interface PineconeFilesOptions extends PineconeRecordOptions {
  space: Space
}

const DEFAULT_NAMESPACE = '__default__'
const PAGE_ROWS = 1_000

interface FileCollection extends SourceCollection {
  files: WalkedFile[]
}

/** @throws SiltstoneError `not-found` (parquet-missing) */
export async function openPineconeFiles(directory: string, options: PineconeFilesOptions): Promise<MigrationSource> {
  const root = basename(resolve(directory))
  const namespaces = new Map<string, WalkedFile[]>()
  for await (const file of walkDirectory(directory)) {
    if (!file.relativePath.endsWith('.parquet')) continue
    const namespace = file.relativePath.split('/').slice(0, -1).join('/')
    namespaces.set(namespace, [...(namespaces.get(namespace) ?? []), file])
  }
  if (namespaces.size === 0)
    throw notFound('parquet-missing', `there are no .parquet files in ${directory}`, { field: 'directory' })
  const collections = [...namespaces].map(([namespace, files]): FileCollection => {
    const name = namespace === '' || namespace === DEFAULT_NAMESPACE ? root : `${root}.${namespace}`
    return {
      name,
      targetName: targetName(name),
      space: options.space,
      metadata: null,
      hnsw: null,
      embeddingFunction: null,
      dimension: null,
      files,
    }
  })
  return {
    description: `the Parquet files in ${directory}`,
    identity: `pinecone-files:${resolve(directory)}`,
    collections: async () => collections,
    open: async (collection) => new FilesReader(collection as FileCollection, options),
    close: async () => {},
  }
}

class FilesReader implements SourceReader {
  readonly collection: FileCollection
  readonly #options: PineconeFilesOptions

  constructor(collection: FileCollection, options: PineconeFilesOptions) {
    this.collection = collection
    this.#options = options
  }

  /** Without the rows of files that cannot be read: these are skipped. */
  async count(): Promise<number> {
    let count = 0
    for (const walked of this.collection.files) {
      const file = await openUnlessDamaged(walked)
      if (isSkipped(file)) continue
      count += file.rows
      await file.close()
    }
    return count
  }

  async fingerprint(): Promise<string> {
    const hash = createHash('sha256')
    for (const { relativePath, sizeBytes, modifiedMs } of this.collection.files)
      hash.update(JSON.stringify([relativePath, sizeBytes, modifiedMs]))
    return hash.digest('hex')
  }

  /** The cursor is `<file>:<row group>:<row of the group>`. */
  async *pages(after: string | null): AsyncGenerator<SourcePage> {
    const [firstFile = 0, firstGroup = 0, firstRow = 0] = after === null ? [] : after.split(':').map(Number)
    for (let at = firstFile; at < this.collection.files.length; at++) {
      const file = await openUnlessDamaged(this.collection.files[at] as WalkedFile)
      if (isSkipped(file)) {
        yield { records: [], skipped: [file], cursor: `${at + 1}:0:0` }
        continue
      }
      try {
        const isFirst = at === firstFile
        for (let group = isFirst ? firstGroup : 0; group < file.metadata.row_groups.length; group++) {
          let row = isFirst && group === firstGroup ? firstRow : 0
          for await (const page of rowsFrom(file, group, row, this.#options)) {
            row += page.records.length + page.skipped.reduce((sum, { records = 1 }) => sum + records, 0)
            yield { ...page, cursor: `${at}:${group}:${row}` }
          }
        }
      } finally {
        await file.close()
      }
    }
  }

  /** Decodes all files again, since they have no index by id. Of records with the same id, the first one counts. */
  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const wanted = new Set(ids)
    const found = new Map<string, SourceRecord>()
    if (wanted.size === 0) return found
    for await (const { records } of this.pages(null)) {
      for (const record of records) if (wanted.has(record.id) && !found.has(record.id)) found.set(record.id, record)
      if (found.size === wanted.size) break
    }
    return found
  }

  async close(): Promise<void> {}
}

interface OpenParquet {
  file: RandomAccessFile
  metadata: FileMetaData
  rows: number
  close(): Promise<void>
}

async function openParquet({ path }: WalkedFile): Promise<OpenParquet> {
  const file = await openRandomAccess(path)
  const slice = async (start: number, end = file.sizeBytes): Promise<ArrayBuffer> =>
    (await file.read(start, end - start)).buffer as ArrayBuffer
  try {
    const metadata = await parquetMetadataAsync({ byteLength: file.sizeBytes, slice })
    return { file, metadata, rows: Number(metadata.num_rows), close: () => file.close() }
  } catch (cause) {
    await file.close()
    throw corrupt('parquet-file', `${path} is not a readable Parquet file: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** A damaged file is skipped as a whole; how many rows it has is not known. */
async function openUnlessDamaged(walked: WalkedFile): Promise<OpenParquet | Skipped> {
  try {
    return await openParquet(walked)
  } catch (error) {
    if (!isSiltstoneError(error, 'corrupt')) throw error
    return { id: walked.path, kind: 'file', reason: error.message, records: 0 }
  }
}

/** The pages of a row group from a row on; what cannot be decoded is skipped up to the group's end. */
async function* rowsFrom(
  file: OpenParquet,
  group: number,
  firstRow: number,
  options: PineconeRecordOptions,
): AsyncGenerator<Pick<SourcePage, 'records' | 'skipped'>> {
  const count = Number((file.metadata.row_groups[group] as RowGroup).num_rows)
  let row = firstRow
  try {
    const rows = new GroupRows(file, group)
    await rows.skip(row)
    for (;;) {
      const page = await rows.take(PAGE_ROWS, options)
      const taken = page.records.length + page.skipped.length
      if (taken === 0) return
      row += taken
      yield page
    }
  } catch (error) {
    if (!isSiltstoneError(error, 'corrupt') || row >= count) throw error
    const id = `${file.file.path}, row group ${group + 1}, from row ${row + 1}`
    yield { records: [], skipped: [{ id, kind: 'file', reason: error.message, records: count - row }] }
  }
}

/** The rows of one row group. */
class GroupRows {
  readonly #path: string
  readonly #columns: Partial<Record<'id' | 'values' | 'metadata' | 'indices' | 'weights', ParquetColumn>>
  #left: number

  constructor({ file, metadata }: OpenParquet, group: number) {
    const rowGroup = metadata.row_groups[group] as RowGroup
    this.#path = file.path
    this.#left = Number(rowGroup.num_rows)
    const column = (...path: string[]): ParquetColumn | undefined => {
      const chunk = rowGroup.columns.find(({ meta_data: data }) =>
        path.every((name, i) => data?.path_in_schema[i] === name),
      )
      return chunk?.meta_data === undefined ? undefined : new ParquetColumn(file, metadata, chunk.meta_data)
    }
    const columns = {
      id: column('id'),
      values: column('values'),
      metadata: column('metadata'),
      indices: column('sparse_values', 'indices'),
      weights: column('sparse_values', 'values'),
    }
    if (columns.id === undefined)
      throw corrupt('parquet-file', `${file.path} has no column id; it was not written for Pinecone`)
    this.#columns = Object.fromEntries(Object.entries(columns).filter(([, column]) => column !== undefined))
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; left -= PAGE_ROWS)
      for (const column of Object.values(this.#columns)) await column.take(Math.min(left, PAGE_ROWS))
    this.#left -= count
  }

  async take(count: number, options: PineconeRecordOptions): Promise<{ records: SourceRecord[]; skipped: Skipped[] }> {
    const wanted = Math.min(count, this.#left)
    this.#left -= wanted
    const read = async (column: ParquetColumn | undefined): Promise<unknown[]> => {
      const rows = (await column?.take(wanted)) ?? []
      if (column !== undefined && rows.length < wanted)
        throw corrupt('parquet-file', `${this.#path} has ${rows.length} rows of a column, ${wanted} were expected`)
      return rows
    }
    const { id, values, metadata, indices, weights } = this.#columns
    const [ids, vectors, texts] = [await read(id), await read(values), await read(metadata)]
    const [sparseIndices, sparseValues] = [await read(indices), await read(weights)]
    const made = ids.map((one, i): SourceRecord | Skipped => {
      if (typeof one !== 'string' || one === '') return { id: String(one), kind: 'id', reason: 'it has no id' }
      try {
        const vector = numbers(vectors[i])
        return recordFrom(
          {
            id: one,
            values: vector === null ? null : Float32Array.from(vector),
            metadata: parseMetadataJson(texts[i]),
            sparse: sparseOf(sparseIndices[i], sparseValues[i]),
          },
          options,
        )
      } catch (error) {
        return { id: one, kind: 'metadata-value', reason: `its metadata is not JSON: ${(error as Error).message}` }
      }
    })
    return {
      records: made.filter((one): one is SourceRecord => !isSkipped(one)),
      skipped: made.filter((one): one is Skipped => isSkipped(one)),
    }
  }
}

function sparseOf(indices: unknown, values: unknown): { indices: number[]; values: number[] } | null {
  const [a, b] = [numbers(indices), numbers(values)]
  return a === null || b === null ? null : { indices: a, values: b }
}

/** Flattens a list: hyparquet wraps it once for each optional group around it. */
function numbers(row: unknown): number[] | null {
  if (!Array.isArray(row)) return null
  const flat = (row as unknown[])
    .flat(Number.POSITIVE_INFINITY)
    .filter((value) => value !== null && value !== undefined)
  return flat.length === 0 ? null : flat.map(Number)
}
