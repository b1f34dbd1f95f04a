/** Rating, cost, lineage, licence check and audit. */
import { invalid } from 'siltstone/internal'
import * as v from 'valibot'
import { answering, json } from '../http/answers.ts'
import { readJson } from '../http/body.ts'
import type { Route, SignedInCall } from '../http/route.ts'
import { checkLicences } from '../licences/compatibility.ts'
import { parseLicence } from '../licences/expression.ts'
import type { Direction } from '../lineage/lineage.ts'
import { explain, toModelRating } from '../metrics/explain.ts'
import { strictestLicence } from '../rating/facts.ts'
import type { Artifact } from '../store/artifact.ts'
import { artifactOf, type RestContext, typeOf, viewerOf } from './context.ts'
import { costOf } from './cost.ts'

const licenceSchema = v.object({ github_url: v.pipe(v.string(), v.nonEmpty('must not be empty')) })

export function trustRoutes(context: RestContext): Route[] {
  const read = (path: string, operation: string, handle: (call: SignedInCall) => Promise<Response>): Route => ({
    method: 'GET',
    path,
    operation,
    access: 'search',
    handle,
  })
  return [
    read('/artifact/model/{id}/rate', 'ModelArtifactRate', (call) => rate(context, call)),
    read('/artifact/{artifact_type}/{id}/cost', 'ArtifactCost', (call) => cost(context, call)),
    read('/artifact/{artifact_type}/{id}/audit', 'ArtifactAuditGet', (call) => audit(context, call)),
    read('/artifact/model/{id}/lineage', 'ArtifactLineageGet', (call) => lineage(context, call)),
    {
      method: 'POST',
      path: '/artifact/model/{id}/license-check',
      operation: 'ArtifactLicenseCheck',
      access: 'search',
      handle: (call) => licenceCheck(context, call),
    },
  ]
}

const flag = (call: SignedInCall, name: string): boolean => {
  const text = call.query.get(name)
  if (text === null || /^(?:false|0)$/i.test(text)) return false
  if (/^(?:true|1)$/i.test(text)) return true
  throw invalid('bad-flag', `${name} is "${text.slice(0, 50)}": give true or false`, { field: name })
}

/** 500: at least one part could not be computed, because the source does not answer. */
async function rate(context: RestContext, call: SignedInCall): Promise<Response> {
  const { registry } = context
  const wantsReasons = flag(call, 'explain')
  const artifact = await artifactOf(context, call, call.session)
  return answering(
    async () => {
      const { rating, evidence } = await registry.ratings.of(artifact.id)
      await registry.artifacts.audit.record('RATE', metadataOf(artifact), call.session.user)
      const category =
        evidence.hub.state === 'found' ? (evidence.hub.value.pipelineTag ?? artifact.type) : artifact.type
      const body = toModelRating(rating, artifact.name, category)
      return json(wantsReasons ? { ...body, explanation: explain(rating), rating } : body)
    },
    () => 500,
  )
}

async function cost(context: RestContext, call: SignedInCall): Promise<Response> {
  const withDependencies = flag(call, 'dependency')
  const artifact = await artifactOf(context, call, call.session)
  return answering(
    async () => json(await costOf(context.registry, artifact, viewerOf(call.session), withDependencies)),
    () => 500,
  )
}

/** Admins read the audit of deleted artifacts, too. */
async function audit(context: RestContext, call: SignedInCall): Promise<Response> {
  const { registry, accounts } = context
  const { session, params } = call
  const artifact = await artifactOf(context, call, session).catch(async (error: unknown) => {
    const document = session.isAdmin ? await registry.artifacts.document(params['id'] ?? '') : undefined
    if (document?.siltstone.state !== 'deleted' || document.metadata.type !== typeOf(params['artifact_type']))
      throw error
    return document.metadata
  })
  const { artifacts } = registry
  const entries = await artifacts.audit.of(artifact.id)
  await artifacts.audit.record('AUDIT', metadataOf(artifact), session.user)
  const admins = new Set<string>()
  for (const name of new Set(entries.map(({ by }) => by))) if (await accounts.isAdmin(name)) admins.add(name)
  return json(
    entries.map(({ by, at, artifact: of, action }) => ({
      user: { name: by, is_admin: admins.has(by) },
      date: at,
      artifact: metadataOf(of),
      action,
    })),
  )
}

const metadataOf = <T extends string>({ name, id, type }: { name: string; id: string; type: T }) => ({ name, id, type })

const DIRECTIONS: readonly Direction[] = ['ancestors', 'descendants', 'both']

/** 400: neither a card nor a configuration says anything about its descent. */
async function lineage(context: RestContext, call: SignedInCall): Promise<Response> {
  const { registry } = context
  const wanted = call.query.get('direction') ?? 'ancestors'
  const direction = DIRECTIONS.find((each) => each === wanted)
  if (direction === undefined) {
    throw invalid('bad-direction', `direction is "${wanted.slice(0, 50)}": give one of ${DIRECTIONS.join(', ')}`, {
      field: 'direction',
    })
  }
  const artifact = await artifactOf(context, call, call.session)
  return answering(
    async () => {
      await registry.ratings.of(artifact.id)
      const rated = await registry.artifacts.get(artifact.id)
      if (rated.facts?.links == null) {
        throw invalid('no-metadata', 'the artifact has neither a model card nor a configuration that names its descent')
      }
      const { nodes, edges } = await registry.lineage.graph(rated, viewerOf(call.session), direction)
      return json({
        nodes: nodes.map(({ id, name, source, url, type, netScore, licence }) => ({
          artifact_id: id,
          // The published schema asks for it, and does not say what it is.
          node: id,
          name,
          source,
          metadata: {
            type,
            ...(url !== null && { repository_url: url }),
            ...(netScore !== null && { net_score: netScore }),
            ...(licence !== null && { license: licence }),
          },
        })),
        edges: edges.map(({ from, to, relation }) => ({
          from_node_artifact_id: from,
          to_node_artifact_id: to,
          relationship: relation,
        })),
      })
    },
    ({ kind, code }) => (kind === 'not-found' && code === 'artifact-not-found' ? 404 : 400),
  )
}

/** Whether the project may both fine-tune the model and run it. What cannot be decided is false, with the reason in a header. */
async function licenceCheck(context: RestContext, call: SignedInCall): Promise<Response> {
  const { registry } = context
  const { github_url: url } = await readJson(call.request, licenceSchema)
  const project = registry.sources.parse(url, 'code')
  if (project.driver !== 'github') {
    throw invalid('source-url', `"${url.slice(0, 200)}" is no GitHub repository`, { field: 'github_url' })
  }
  const artifact: Artifact = await artifactOf(context, call, call.session)
  return answering(
    async () => {
      const stated = await registry.sources.projectLicence(project.canonical)
      if (stated === undefined) return verdict(false, 'the project states no licence that is known')
      const licence = parseLicence(stated)
      if (licence === undefined) return verdict(false, `the licence of the project, ${stated}, is not known`)
      const model = strictestLicence((await registry.ratings.of(artifact.id)).evidence)
      if (model === undefined) return verdict(false, 'the model states no licence that is known')
      const { allowed, fineTuning, inference } = checkLicences(model, licence)
      return verdict(allowed, `fine-tuning: ${fineTuning.reason}; inference: ${inference.reason}`)
    },
    ({ code, kind }) => (code === 'project-not-found' ? 404 : kind === 'invalid' ? 400 : 502),
  )
}

/** Header values are ASCII. */
const verdict = (allowed: boolean, reason: string) =>
  json(allowed, 200, { 'x-siltstone-reason': reason.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 500) })
