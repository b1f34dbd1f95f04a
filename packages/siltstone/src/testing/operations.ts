/** Short forms of record operations for tests. */
import type { CreateCollection } from '../model/collection.ts'
import { metadataFromJson } from '../records/metadata-json.ts'
import type { Op, RecordOp } from '../model/record.ts'

export interface OpFields {
  vector?: number[]
  document?: string
  /** Exact JSON text, or an object of plain values (null removes in update and upsert). */
  metadata?: string | Record<string, unknown>
  uri?: string
}

export function operation(op: Op, id: string, fields: OpFields = {}): RecordOp {
  const { vector, document = null, metadata = null, uri = null } = fields
  const text =
    typeof metadata === 'string' ? metadata : metadataFromJson(metadata, 'metadata', op === 'add' ? 'add' : 'patch')
  return { op, id, vector: vector === undefined ? null : Float32Array.from(vector), document, metadata: text, uri }
}

export const add = (id: string, vector: number[], fields: OpFields = {}): RecordOp =>
  operation('add', id, { ...fields, vector })
export const upsert = (id: string, vector: number[], fields: OpFields = {}): RecordOp =>
  operation('upsert', id, { ...fields, vector })
export const update = (id: string, fields: OpFields): RecordOp => operation('update', id, fields)
export const remove = (id: string): RecordOp => operation('delete', id)

export function collectionRequest(name: string, rest: Partial<CreateCollection> = {}): CreateCollection {
  return {
    tenant: 'default_tenant',
    database: 'default_database',
    name,
    getOrCreate: false,
    space: 'l2',
    metadata: null,
    configuration: {},
    schema: null,
    ...rest,
  }
}
