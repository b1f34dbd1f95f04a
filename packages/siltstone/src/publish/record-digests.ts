/**
 * What the next publication needs to know of the records of this one, without reading them again: 28 bytes for each record, in
 * order of insertion. They lie in a file of the folder that pages do not read.
 *
 * | bytes | |
 * |---|---|
 * | 8 | the first of the SHA-256 of the id |
 * | 16 | the first of the SHA-256 of everything that is published of the record |
 * | u32 | its row |
 */
import { createHash } from 'node:crypto'
import { utf8Encode } from '#codec'
import type { SegmentRow } from '../format/segment/writer.ts'

const ID_BYTES = 8
const CONTENT_BYTES = 16
const ENTRY_BYTES = ID_BYTES + CONTENT_BYTES + 4

type Content = Pick<SegmentRow, 'id' | 'vector' | 'document' | 'metadata' | 'uri'>

export interface RecordDigest {
  /** Base64 of the first bytes. */
  id: string
  content: string
}

export function digestOf({ id, vector, document, metadata, uri }: Content): RecordDigest {
  const content = createHash('sha256')
  for (const text of [id, document, metadata, uri]) {
    const bytes = utf8Encode(text ?? '')
    content.update(`${text === null ? '-' : bytes.length}:`).update(bytes)
  }
  content.update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
  return {
    id: createHash('sha256').update(id, 'utf8').digest().toString('base64', 0, ID_BYTES),
    content: content.digest().toString('base64', 0, CONTENT_BYTES),
  }
}

/** @param places the row of each record; undefined: rows are in the order of the records */
export function encodeDigests(digests: readonly RecordDigest[], places: Uint32Array | undefined): Uint8Array {
  const bytes = Buffer.alloc(digests.length * ENTRY_BYTES)
  for (const [i, { id, content }] of digests.entries()) {
    const at = i * ENTRY_BYTES
    bytes.write(id, at, 'base64')
    bytes.write(content, at + ID_BYTES, 'base64')
    bytes.writeUInt32LE(places ? (places[i] as number) : i, at + ID_BYTES + CONTENT_BYTES)
  }
  return bytes
}

export interface PublishedRecord {
  /** In the order of insertion. */
  position: number
  content: string
  row: number
}

/** @returns by the digest of the id; undefined: these are no digests of so many records, or two ids have the same digest */
export function decodeDigests(bytes: Uint8Array, records: number): Map<string, PublishedRecord> | undefined {
  if (bytes.length !== records * ENTRY_BYTES) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<string, PublishedRecord>()
  for (let position = 0; position < records; position++) {
    const at = position * ENTRY_BYTES
    const row = buffer.readUInt32LE(at + ID_BYTES + CONTENT_BYTES)
    if (row >= records) return undefined
    found.set(buffer.toString('base64', at, at + ID_BYTES), {
      position,
      content: buffer.toString('base64', at + ID_BYTES, at + ID_BYTES + CONTENT_BYTES),
      row,
    })
  }
  return found.size === records ? found : undefined
}
