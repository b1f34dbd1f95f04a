/**
 * Endpoints of the registry's artifacts, to look at. They belong to no tenant, so a token needs access to all tenants and
 * databases, with which it can read the registry's index and objects in any case. They are there where the server runs with
 * `--registry`; changes are made through the registry's own address, with its own accounts.
 */
import { uintQuery } from '../../chroma/call.ts'
import { bool, list, object, orNull, text, uint } from '../../chroma/openapi-schemas.ts'
import { type Answer, type Call, json, type Route } from '../../chroma/route.ts'
import { invalid, notFound } from '../../errors.ts'
import { ARTIFACT_TYPES, type ArtifactCatalog, type ArtifactType } from '../../model/artifact-catalog.ts'
import { ROOT } from '../call.ts'

const ARTIFACTS = `${ROOT}/artifacts`
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

const score = orNull({ type: 'number' })
const type = { enum: ARTIFACT_TYPES }
const summary = {
  id: text,
  name: text,
  type,
  createdBy: text,
  repository: orNull(text),
  url: orNull(text),
  licence: orNull(text),
  netScore: score,
  tags: list(text),
}
const metric = object({
  name: text,
  value: { type: 'number' },
  status: text,
  reasons: list(object({ text, source: text, points: { type: 'number' } })),
})
const common = { tag: 'Siltstone', access: 'read', allTenants: true, method: 'GET' } as const

export const artifactRoutes: Route[] = [
  {
    ...common,
    path: ARTIFACTS,
    operation: 'siltstone_artifacts',
    summary: "The registry's artifacts, in pages ordered by id; with text, those that fit best, without pages",
    query: {
      text,
      type,
      limit: { ...uint, minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
      cursor: text,
    },
    answer: object({ artifacts: list(object(summary)), cursor: orNull(text) }),
    handle: artifacts,
  },
  {
    ...common,
    path: `${ARTIFACTS}/{id}`,
    operation: 'siltstone_artifact',
    summary: 'One artifact, with its rating and what it was made from and into',
    answer: object({
      ...summary,
      createdAt: text,
      sizeBytes: orNull(uint),
      readme: orNull(text),
      rating: orNull(object({ netScore: metric, metrics: list(metric) })),
      lineage: object({
        nodes: list(object({ id: text, name: text, type, netScore: score, licence: orNull(text) })),
        edges: list(object({ from: text, to: text, relation: text })),
        isCut: bool,
      }),
    }),
    handle: async (call) => json(await catalogOf(call).artifact(call.param('id'))),
  },
]

/** @throws SiltstoneError `not-found` (no-registry) */
function catalogOf({ options: { artifacts: catalog } }: Call): ArtifactCatalog {
  if (catalog !== undefined) return catalog
  throw notFound('no-registry', 'This server has no registry: start it with "siltstone serve --registry"')
}

async function artifacts(call: Call): Promise<Answer> {
  const catalog = catalogOf(call)
  const limit = uintQuery(call, 'limit') ?? DEFAULT_LIMIT
  if (limit < 1 || limit > MAX_LIMIT)
    throw invalid('over-limit', `limit is ${limit}; give 1 to ${MAX_LIMIT}`, { field: 'limit' })
  const wanted = typeQuery(call)
  const query = { limit, ...(wanted !== undefined && { type: wanted }) }
  const words = call.query('text')?.trim() ?? ''
  const cursor = call.query('cursor')
  if (words === '') return json(await catalog.page({ ...query, ...(cursor !== undefined && { cursor }) }))
  if (cursor !== undefined) throw invalid('bad-query', 'give text or cursor, not both', { field: 'cursor' })
  return json({ artifacts: await catalog.search(words, query), cursor: null })
}

function typeQuery(call: Call): ArtifactType | undefined {
  const given = call.query('type')
  if (given === undefined || given === '') return undefined
  const known = ARTIFACT_TYPES.find((one) => one === given)
  if (known !== undefined) return known
  throw invalid('bad-query', `type is '${given.slice(0, 60)}'; give one of ${ARTIFACT_TYPES.join(', ')}`, {
    field: 'type',
  })
}
