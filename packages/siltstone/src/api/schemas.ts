/** JSON Schemas of answers: the shapes of `model/maintenance.ts`, `model/store.ts` and `model/verify.ts`. */
import { bool, list, map, object, orNull, text, texts, uint } from '../chroma/openapi-schemas.ts'

const number = { type: 'number' }
const indexing = object({ totalOps: uint, indexedOps: uint, unindexedOps: uint })

const lease = object({
  name: text,
  state: { enum: ['free', 'held', 'expired'] },
  owner: orNull(text),
  heartbeatAtMs: number,
  expiresAtMs: number,
  fencing: uint,
  dirty: bool,
})

const snapshot = object({
  name: text,
  key: text,
  watermark: uint,
  createdAtMs: number,
  liveRecords: uint,
  segments: uint,
  sizeBytes: uint,
  current: bool,
  keptBecause: texts,
})

export const SCHEMAS = {
  about: object({
    version: text,
    user: orNull(text),
    role: { enum: ['read', 'write', 'admin'] },
    tenants: orNull(texts),
    databases: orNull(texts),
    readOnly: bool,
    authentication: bool,
    maintenance: bool,
  }),
  tenants: list(object({ name: text, resourceName: orNull(text) })),
  summary: object({
    id: text,
    name: text,
    tenant: text,
    database: text,
    space: { enum: ['l2', 'cosine', 'ip'] },
    metadata: orNull(map),
    configuration: map,
    schema: orNull(map),
    createdAtMs: number,
    inbox: bool,
    forkOf: text,
    version: uint,
    records: uint,
    dimension: orNull(uint),
    indexing,
    watermark: uint,
    segments: uint,
    sizeBytes: uint,
    unsequencedDeltas: uint,
  }),
  snapshots: list(snapshot),
  restorePoint: object({
    name: text,
    snapshot: text,
    version: uint,
    pinnedAtMs: number,
    untilMs: orNull(number),
  }),
  written: object({ version: uint }),
  compaction: object({
    version: uint,
    watermark: uint,
    indexing,
    segments: list(object({ id: text, rows: uint, deleted: uint, overlays: uint, sizeBytes: uint })),
    refused: list(object({ key: text, reason: text })),
    lastCommit: orNull(object({ kind: text, writer: text, createdAtMs: number, durationMs: number })),
    leases: list(lease),
  }),
  compacted: object({
    collection: text,
    folds: uint,
    merges: uint,
    entriesFolded: uint,
    recordsFolded: uint,
    bytesWritten: uint,
    busy: bool,
    unfinished: orNull({ enum: ['later', 'cannot-fit'] }),
    watermark: uint,
  }),
  leases: list(lease),
  garbage: object({ collection: text, deletable: uint, deletableBytes: uint, waiting: uint, keys: texts }),
  verified: object({
    collection: text,
    state: { enum: ['live', 'closed', 'never-folded'] },
    deep: bool,
    manifestKey: orNull(text),
    watermark: uint,
    version: uint,
    liveRecords: orNull(uint),
    problems: list(object({ key: text, problem: text, remedy: text, severity: { enum: ['error', 'warning'] } })),
    figures: map,
  }),
  recall: object({ queries: uint, k: uint, recall: number, p10: number, worst: number, version: uint }),
  fields: object({
    version: uint,
    records: uint,
    complete: bool,
    fields: list(
      object({
        key: text,
        types: texts,
        records: uint,
        distinct: uint,
        uncounted: bool,
        values: list(object({ value: {}, records: uint })),
      }),
    ),
  }),
  cost: {
    ...map,
    description: 'A month like the time that the counters of this server cover: bill, unit costs, counted operations',
  },
}
