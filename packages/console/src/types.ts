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
