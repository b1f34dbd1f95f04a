/** What `siltstone serve` shows of the registry at its own address, for people who look: no account of the registry is needed there. */
import type { ArtifactCatalog, ArtifactMetric, ArtifactSummary } from 'siltstone/internal'
import { type Measurement, METRICS } from './metrics/measurement.ts'
import type { Registry } from './registry.ts'
import type { Viewer } from './search/artifact-index.ts'
import type { IndexedArtifact } from './search/entry.ts'
import { noArtifact } from './store/artifact.ts'

/** Who may ask may read the whole store. */
const VIEWER: Viewer = { name: '', isAdmin: true }
const README_CHARACTERS = 10_000

export function catalogOf(registry: Registry): ArtifactCatalog {
  const { artifacts, index, lineage, ratings } = registry
  return {
    async page({ type, limit, cursor }) {
      const found = await index.list([type === undefined ? {} : { types: [type] }], VIEWER, limit, cursor)
      return { artifacts: found.artifacts.map(summaryOf), cursor: found.next }
    },
    async search(text, { type, limit }) {
      return (await index.search({ text, type, limit }, VIEWER)).map(summaryOf)
    },
    async artifact(id) {
      const artifact = await artifacts.find(id)
      if (artifact === undefined) throw noArtifact(id)
      const { name, type, createdBy, createdAt, repository, url, facts, readme } = artifact
      const [rated, graph] = await Promise.all([ratings.stored(artifact), lineage.graph(artifact, VIEWER, 'both')])
      return {
        ...{ id, name, type, createdBy, createdAt, repository, url },
        licence: facts?.licence ?? null,
        netScore: facts?.netScore ?? null,
        tags: facts?.tags ?? [],
        sizeBytes: facts?.sizeBytes ?? null,
        readme: readme?.readme_text.slice(0, README_CHARACTERS) ?? null,
        rating:
          rated === undefined
            ? null
            : {
                netScore: metricOf('net_score', rated.rating.netScore),
                metrics: METRICS.map((metric) => metricOf(metric, rated.rating.metrics[metric])),
              },
        lineage: {
          nodes: graph.nodes.map((node) => ({
            id: node.id,
            name: node.name,
            type: node.type,
            netScore: node.netScore,
            licence: node.licence,
          })),
          edges: graph.edges.map(({ from, to, relation }) => ({ from, to, relation })),
          isCut: graph.isCut,
        },
      }
    },
  }
}

const summaryOf = (one: IndexedArtifact): ArtifactSummary => ({
  id: one.id,
  name: one.name,
  type: one.type,
  createdBy: one.createdBy,
  repository: one.repository,
  url: one.url,
  licence: one.licence,
  netScore: one.netScore,
  tags: one.tags,
})

const metricOf = (name: string, { value, status, reasons }: Measurement): ArtifactMetric => ({
  name,
  value,
  status,
  reasons: reasons.map(({ text, source, points }) => ({ text, source, points })),
})
