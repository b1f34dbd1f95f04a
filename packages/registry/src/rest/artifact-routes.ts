/** Registering, reading, changing, deleting and finding artifacts. */
import { invalid, isSiltstoneError, notFound } from 'siltstone/internal'
import * as v from 'valibot'
import { empty, json } from '../http/answers.ts'
import { readJson } from '../http/body.ts'
import type { Route, SignedInCall } from '../http/route.ts'
import type { ListClause } from '../search/artifact-index.ts'
import type { IndexedArtifact } from '../search/entry.ts'
import {
  artifactBody,
  artifactOf,
  checkOwner,
  metadataBody,
  type RestContext,
  TYPES,
  typeOf,
  viewerOf,
} from './context.ts'
import { limitOf, paged } from './cursor.ts'

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const type = v.picklist(TYPES)
const dataSchema = v.object({ url: text, name: v.optional(text) })
const artifactSchema = v.object({
  metadata: v.object({ name: text, id: text, type }),
  data: v.object({ url: text }),
})
const queriesSchema = v.pipe(
  v.array(v.object({ name: text, types: v.nullish(v.array(type)) })),
  v.maxLength(100, 'has more than 100 queries'),
)
const regexSchema = v.object({ regex: text })

export function artifactRoutes(context: RestContext): Route[] {
  const { registry } = context
  const on = (
    method: Route['method'],
    path: string,
    operation: string,
    access: 'upload' | 'search',
    handle: (call: SignedInCall) => Promise<Response>,
  ): Route => ({ method, path, operation, access, handle })
  return [
    on('POST', '/artifacts', 'ArtifactsList', 'search', (call) => list(context, call)),
    on('POST', '/artifact/byRegEx', 'ArtifactByRegExGet', 'search', (call) => byRegEx(context, call)),
    on('GET', '/artifact/byName/{name...}', 'ArtifactByNameGet', 'search', (call) => byName(context, call)),
    on('POST', '/artifact/{artifact_type}', 'ArtifactCreate', 'upload', async (call) => {
      const type = typeOf(call.params['artifact_type'])
      const { url, name } = await readJson(call.request, dataSchema)
      const artifact = await registry.register({ type, url, name, by: call.session.user })
      return json(await artifactBody(context, call, artifact), 201)
    }),
    on('GET', '/artifacts/{artifact_type}/{id}', 'ArtifactRetrieve', 'search', async (call) =>
      json(await artifactBody(context, call, await artifactOf(context, call, call.session))),
    ),
    on('PUT', '/artifacts/{artifact_type}/{id}', 'ArtifactUpdate', 'upload', (call) => update(context, call)),
    on('DELETE', '/artifacts/{artifact_type}/{id}', 'ArtifactDelete', 'upload', async (call) => {
      const artifact = await artifactOf(context, call, call.session)
      checkOwner(artifact, call.session)
      await registry.delete(artifact, call.session.user)
      return empty()
    }),
  ]
}

async function list({ registry }: RestContext, call: SignedInCall): Promise<Response> {
  const queries = await readJson(call.request, queriesSchema)
  const clauses = queries.map(
    ({ name, types }): ListClause => ({
      ...(name !== '*' && { name }),
      ...(types != null && { types }),
    }),
  )
  const viewer = viewerOf(call.session)
  const { page, offset } = await paged(call.query, limitOf(call.query), (limit, after) =>
    registry.index.list(clauses, viewer, limit, after),
  )
  return json(page.artifacts.map(metadataBody), 200, { offset })
}

async function byRegEx({ registry }: RestContext, call: SignedInCall): Promise<Response> {
  const { regex } = await readJson(call.request, regexSchema)
  const viewer = viewerOf(call.session)
  const limit = call.query.has('limit') ? limitOf(call.query) : MAX_MATCHES
  const { page, offset } = await paged(call.query, limit, (most, after) =>
    registry.index.matching(regex, viewer, most, after),
  )
  if (page.artifacts.length === 0) throw notFound('artifact-not-found', 'no name and no README matches')
  return json(page.artifacts.map(metadataBody), 200, { offset })
}

const MAX_MATCHES = 1_000
const MAX_NAME_CHARACTERS = 512

/** By the exact name; `owner/name` also finds the artifacts of that repository, here or at their source. */
async function byName({ registry }: RestContext, call: SignedInCall): Promise<Response> {
  const { name = '' } = call.params
  if (name === '*' || Array.from(name).length > MAX_NAME_CHARACTERS) {
    throw invalid('artifact-name', 'give a name of at most 512 characters; "*" means all only in POST /artifacts', {
      field: 'name',
    })
  }
  const viewer = viewerOf(call.session)
  const named = async (each: string): Promise<IndexedArtifact[]> =>
    (await registry.index.list([{ name: each }], viewer, MAX_MATCHES)).artifacts
  let found = await named(name)
  const [owner, repository, ...rest] = name.split('/')
  if (found.length === 0 && owner && repository && rest.length === 0) {
    const ofOwner = ({ repository: own, url }: IndexedArtifact) =>
      own === name || URL.parse(url ?? '')?.pathname.endsWith(`/${name}`) === true
    found = [...(await named(repository)), ...(await named(`${owner}-${repository}`))].filter(ofOwner)
  }
  if (found.length === 0) throw notFound('artifact-not-found', `no artifact has the name ${name.slice(0, 100)}`)
  return json(found.map(metadataBody))
}

async function update(context: RestContext, call: SignedInCall): Promise<Response> {
  const { registry } = context
  // The body is looked at first: 400 goes before 404.
  typeOf(call.params['artifact_type'])
  const { metadata, data } = await readJson(call.request, artifactSchema)
  const { session } = call
  const artifact = await artifactOf(context, call, session)
  checkOwner(artifact, session)
  for (const field of ['id', 'name', 'type'] as const) {
    if (metadata[field] === artifact[field]) continue
    throw invalid('artifact-mismatch', `metadata.${field} is not that of the artifact: it cannot be changed`, {
      field: `metadata.${field}`,
    })
  }
  const { canonical } = registry.sources.parse(data.url, artifact.type)
  const changed =
    canonical === artifact.url
      ? registry.artifacts.change(artifact.id, session.user, 'UPDATE', (current) => ({ ...current }))
      : registry.artifacts.changeSource(artifact.id, session.user, canonical)
  registry.rateLater(await changed.catch((error: unknown) => Promise.reject(asInvalid(error))), true)
  return empty()
}

/** The contract has no 409 here. */
function asInvalid(error: unknown): unknown {
  return isSiltstoneError(error, 'conflict')
    ? invalid(error.code, error.message, { field: 'data.url', cause: error })
    : error
}
