/** What a registry shows of its artifacts. `@siltstone/registry` gives it; the endpoints `/api/siltstone/v1/artifacts` show these shapes. */

export const ARTIFACT_TYPES = ['model', 'dataset', 'code'] as const
export type ArtifactType = (typeof ARTIFACT_TYPES)[number]

export interface ArtifactSummary {
  id: string
  name: string
  type: ArtifactType
  createdBy: string
  /** `owner/name`; null: it was registered by its source alone. */
  repository: string | null
  /** Of its source; null: it was uploaded. */
  url: string | null
  licence: string | null
  /** 0 to 1; null: not rated. */
  netScore: number | null
  tags: readonly string[]
}

export interface ArtifactMetric {
  name: string
  /** 0 to 1; −1 where the question does not arise. */
  value: number
  status: string
  /** What adds up to the value, and where it was read. */
  reasons: readonly { text: string; source: string; points: number }[]
}

export interface ArtifactNode {
  /** `ext-…`: it is not registered. */
  id: string
  name: string
  type: ArtifactType
  netScore: number | null
  licence: string | null
}

export interface ArtifactDetail extends ArtifactSummary {
  /** RFC 3339. */
  createdAt: string
  sizeBytes: number | null
  /** The beginning of its README. */
  readme: string | null
  /** null: not rated yet. */
  rating: { netScore: ArtifactMetric; metrics: readonly ArtifactMetric[] } | null
  /** What it was made from, and what was made from it. */
  lineage: {
    nodes: readonly ArtifactNode[]
    /** `to` was made from `from`. */
    edges: readonly { from: string; to: string; relation: string }[]
    /** There is more. */
    isCut: boolean
  }
}

export interface ArtifactsQuery {
  type?: ArtifactType
  /** 1 to 100. */
  limit: number
  /** Of the page before. */
  cursor?: string
}

/** Reads alone. Private artifacts are shown, too: who may ask may read the whole store. */
export interface ArtifactCatalog {
  /** In the order of ids. */
  page(query: ArtifactsQuery): Promise<{ artifacts: ArtifactSummary[]; cursor: string | null }>
  /** By words and meaning, the best first. */
  search(text: string, query: Omit<ArtifactsQuery, 'cursor'>): Promise<ArtifactSummary[]>
  /** @throws SiltstoneError `not-found` (artifact-not-found) */
  artifact(id: string): Promise<ArtifactDetail>
}
