/** Shapes of answers. */
export type {
  CollectionSummary,
  CompactionState,
  FieldsReport,
  GarbagePreview,
  LeaseInfo,
  MapReport,
  RecallReport,
  RestorePoint,
  SnapshotInfo,
  VerifyReport,
} from 'siltstone'

export const OBJECT_PROGRESS = ['queued', 'running', 'done', 'failed', 'dead', 'gone', 'unprocessed'] as const
export type ObjectProgress = (typeof OBJECT_PROGRESS)[number]

export interface ObjectStatus {
  bucket: string
  key: string
  progress: ObjectProgress
  version: string | null
  records: number
  collections: string[]
  contentType?: string
  processor?: string
  step?: string
  steps: Record<string, { state: 'done' | 'skipped'; reason?: string; durationMs?: number }>
  attempt: number
  retryAt?: string
  error?: { code: string; message: string }
  changedAt?: string
  history: { run: number; ended: string; atMs: number; code?: string }[]
}

export interface ObjectStatesPage {
  objects: ObjectStatus[]
  cursor: string | null
}

export interface About {
  version: string
  user: string | null
  role: 'read' | 'write' | 'admin'
  /** null: all */
  tenants: string[] | null
  databases: string[] | null
  readOnly: boolean
  authentication: boolean
  maintenance: boolean
  /** Whether objects are served, so that their states can be asked for. */
  objects: boolean
}

export interface GotRecords {
  ids: string[]
  documents: (string | null)[] | null
  metadatas: (Record<string, unknown> | null)[] | null
  uris: (string | null)[] | null
  embeddings: number[][] | null
}

export interface FoundRecords {
  ids: string[][]
  distances: (number | null)[][]
  documents: (string | null)[][]
  metadatas: (Record<string, unknown> | null)[][]
}

export interface Explanation {
  segments: number
  scannedRows: number
  freshRecords: number
  clusters: number
  listsRead: number
  entries: number
  candidates: number
  measured: number
  requests: number
  bytesRead: number
  rounds: number
  timesMs: Record<string, number>
}

export interface CostReport {
  counted: { hours: number }
  bill: { lines: { service: string; what: string; usd: number }[]; totalUsd: number }
  unitCosts: { usdPer1000Queries: number | null; usdPerMillionWrites: number | null }
}
