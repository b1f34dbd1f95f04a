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

export const OBJECT_PROGRESS = [
  'queued',
  'running',
  'done',
  'failed',
  'dead',
  'gone',
  'expired',
  'unprocessed',
] as const
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
  /** Whether a registry is served, so that its artifacts can be looked at. */
  artifacts: boolean
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

export interface RankedRecords {
  ids: string[][]
  scores: number[][]
  documents: (string | null)[][]
  metadatas: (Record<string, unknown> | null)[][]
  explanations: {
    score: number
    knn: {
      rank: number | null
      score: number | null
      contribution: number | null
      words?: { word: string; count: number; adds: number }[]
    }[]
  }[][]
  highlights: (string[][] | null)[][]
  did_you_mean?: ({ text: string } | null)[]
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

export const ARTIFACT_TYPES = ['model', 'dataset', 'code'] as const

export interface ArtifactSummary {
  id: string
  name: string
  type: (typeof ARTIFACT_TYPES)[number]
  createdBy: string
  repository: string | null
  url: string | null
  licence: string | null
  netScore: number | null
  tags: string[]
}

export interface ArtifactMetric {
  name: string
  value: number
  status: string
  reasons: { text: string; source: string; points: number }[]
}

export interface ArtifactDetail extends ArtifactSummary {
  createdAt: string
  sizeBytes: number | null
  readme: string | null
  rating: { netScore: ArtifactMetric; metrics: ArtifactMetric[] } | null
  lineage: {
    nodes: { id: string; name: string; netScore: number | null }[]
    edges: { from: string; to: string; relation: string }[]
    isCut: boolean
  }
}
