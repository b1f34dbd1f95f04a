/** What the records of an object say of where they come from. */
import { metadataFromJson, type RecordOp } from 'siltstone/internal'
import type { ProcessedRecord } from '@siltstone/processors'
import type { ObjectVersion } from './state.ts'

export interface Lineage {
  /** `siltstone` for a directory, `s3`. */
  scheme: 'siltstone' | 's3'
  bucket: string
  key: string
  object: ObjectVersion
  objectId: string
  /** The claim under which the records are written. */
  run: string
  contentType: string
  processor: { name: string; version: string }
}

/** @param position of the record among those of its step, from 0 */
export function recordOf(
  lineage: Lineage,
  { step, kind, document, metadata }: ProcessedRecord,
  vector: Float32Array,
  position: number,
): RecordOp {
  const { bucket, key, object, objectId, run, contentType, processor } = lineage
  const all = {
    ...metadata,
    kind,
    object_bucket: bucket,
    object_key: key,
    object_version: object.version,
    object_etag: object.etag,
    object_id: objectId,
    object_run: run,
    content_type: contentType,
    processor: processor.name,
    pipeline: `${processor.name}@${processor.version}`,
  }
  return {
    op: 'upsert',
    id: `${objectId}/${object.version}#${step}/${position}`,
    vector,
    document,
    metadata: metadataFromJson(all, 'metadata', 'patch', 'plain'),
    uri: uriOf(lineage, metadata),
  }
}

/** `siltstone://media/talk.mp4?version=…#t=12.4,19` (W3C Media Fragments), or `#page=3`. */
function uriOf({ scheme, bucket, key, object }: Lineage, metadata: ProcessedRecord['metadata']): string {
  const path = key.split('/').map(encodeURIComponent).join('/')
  const fragment = fragmentOf(metadata)
  return `${scheme}://${bucket}/${path}?version=${encodeURIComponent(object.version)}${fragment}`
}

/** The part of an address that leads to the place: seconds of a recording, a page. Empty for the whole object. */
export function fragmentOf(metadata: Readonly<Record<string, unknown>>): string {
  const { start_ms: start, end_ms: end, page } = metadata
  if (typeof start === 'number') return `#t=${start / 1_000}${typeof end === 'number' ? `,${end / 1_000}` : ''}`
  return typeof page === 'number' ? `#page=${page}` : ''
}
