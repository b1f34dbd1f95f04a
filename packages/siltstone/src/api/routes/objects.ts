/**
 * Endpoints of users' objects: how their processing stands. Objects belong to no tenant, so a token needs access to all
 * tenants and databases. They are there where the server runs with `--objects`.
 */
import { uintQuery } from '../../chroma/call.ts'
import { bool, list, map, object, orNull, text, uint } from '../../chroma/openapi-schemas.ts'
import { type Answer, type Call, json, type Route } from '../../chroma/route.ts'
import { readBoolean, readString } from '../../chroma/wire/fields.ts'
import { invalid, notFound } from '../../errors.ts'
import { OBJECT_PROGRESS, type ObjectProgress, type ObjectStates } from '../../model/object-states.ts'
import { bodyWith, ROOT } from '../call.ts'

const OBJECTS = `${ROOT}/objects`
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

const progress = { enum: OBJECT_PROGRESS }
const status = object({
  bucket: text,
  key: text,
  progress,
  version: orNull(text),
  records: uint,
  collections: list(text),
  contentType: text,
  processor: text,
  step: text,
  steps: map,
  attempt: uint,
  retryAt: text,
  error: object({ code: text, message: text }),
  changedAt: text,
  history: list(map),
})
const common = { tag: 'Siltstone', access: 'read', allTenants: true } as const

export const objectRoutes: Route[] = [
  {
    ...common,
    method: 'GET',
    path: `${OBJECTS}/buckets`,
    operation: 'siltstone_object_buckets',
    summary: 'The buckets of objects, ordered by name; and whether this server makes objects searchable',
    answer: object({ buckets: list(text), processing: text }),
    handle: buckets,
  },
  {
    ...common,
    method: 'GET',
    path: `${OBJECTS}/status`,
    operation: 'siltstone_object_states',
    summary:
      'How the processing of objects stands, in pages: follow cursor until it is null, for a page may have fewer objects than its limit, or none',
    query: {
      bucket: { ...text, description: 'Default: all buckets' },
      prefix: text,
      state: progress,
      limit: { ...uint, minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
      cursor: text,
    },
    answer: object({ objects: list(status), cursor: orNull(text) }),
    handle: states,
  },
  {
    ...common,
    method: 'GET',
    path: `${OBJECTS}/buckets/{bucket}/status`,
    operation: 'siltstone_object_state',
    summary: 'How the processing of one object stands',
    query: { key: text },
    answer: status,
    handle: one,
  },
  {
    ...common,
    method: 'POST',
    path: `${OBJECTS}/replay`,
    operation: 'siltstone_replay_objects',
    summary: 'Has an object, or all below a prefix, processed again; with dead, only those that were given up',
    access: 'write',
    body: object({ bucket: text, key: text, prefix: text, dead: bool }, ['bucket']),
    answer: object({ replayed: uint }),
    handle: replay,
  },
]

/** @throws SiltstoneError `not-found` (no-objects) */
function statesOf({ options: { objects } }: Call): ObjectStates {
  if (objects !== undefined) return objects
  throw notFound('no-objects', 'This server has no objects: start it with "siltstone serve --objects"')
}

async function buckets(call: Call): Promise<Answer> {
  const found = statesOf(call)
  return json({ buckets: await found.buckets(), processing: found.processing })
}

async function states(call: Call): Promise<Answer> {
  const found = statesOf(call)
  const limit = uintQuery(call, 'limit') ?? DEFAULT_LIMIT
  if (limit < 1 || limit > MAX_LIMIT)
    throw invalid('over-limit', `limit is ${limit}; give 1 to ${MAX_LIMIT}`, { field: 'limit' })
  const bucket = call.query('bucket')
  const prefix = call.query('prefix')
  const cursor = call.query('cursor')
  const state = progressQuery(call)
  return json(
    await found.page({
      limit,
      ...(bucket !== undefined && { bucket }),
      ...(prefix !== undefined && { prefix }),
      ...(state !== undefined && { progress: state }),
      ...(cursor !== undefined && { cursor }),
    }),
  )
}

function progressQuery(call: Call): ObjectProgress | undefined {
  const state = call.query('state')
  if (state === undefined || state === '') return undefined
  if ((OBJECT_PROGRESS as readonly string[]).includes(state)) return state as ObjectProgress
  throw invalid('bad-query', `state is '${state.slice(0, 60)}'; give one of ${OBJECT_PROGRESS.join(', ')}`, {
    field: 'state',
  })
}

async function one(call: Call): Promise<Answer> {
  const found = statesOf(call)
  const key = call.query('key')
  if (key === undefined || key === '') throw invalid('bad-query', 'key is missing', { field: 'key' })
  return json(await found.status(call.param('bucket'), key))
}

async function replay(call: Call): Promise<Answer> {
  const found = statesOf(call)
  const body = await bodyWith(call, ['bucket', 'key', 'prefix', 'dead'])
  const bucket = body.required('bucket', readString)
  const key = body.optional('key', readString)
  const prefix = body.optional('prefix', readString)
  const dead = body.optional('dead', readBoolean) ?? false
  // Nobody should process a whole bucket again by leaving something out.
  if ((key === undefined) === (prefix === undefined))
    throw invalid('bad-body', 'give key or prefix; the prefix "" is for all objects of the bucket', { field: 'key' })
  const filter = { dead, ...(key !== undefined && { key }), ...(prefix !== undefined && { prefix }) }
  return json({ replayed: await found.replay(bucket, filter) })
}
