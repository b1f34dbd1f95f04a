/** Endpoints of a collection's upkeep. A request that takes longer than the server allows is answered, and its work goes on. */
import { bool, map, object, uint } from '../../chroma/openapi-schemas.ts'
import { type Answer, type Call, json, type Route } from '../../chroma/route.ts'
import { readNumber, readUint } from '../../chroma/wire/fields.ts'
import { invalid } from '../../errors.ts'
import { bodyWith, COLLECTION, collectionOf, filterIn, flagQuery, maintenanceOf } from '../call.ts'
import { SCHEMAS } from '../schemas.ts'

const MAX_SAMPLES = 1_000
const MAX_K = 1_000

export const upkeepRoutes: Route[] = [
  {
    method: 'GET',
    path: `${COLLECTION}/compaction`,
    operation: 'siltstone_compaction',
    tag: 'Siltstone',
    summary: 'Where compaction stands: log, segments, last commit, leases',
    access: 'read',
    answer: SCHEMAS.compaction,
    handle: async (call) => json(await maintenanceOf(call).compactionState(await collectionOf(call))),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/compact`,
    operation: 'siltstone_compact',
    tag: 'Siltstone',
    summary: 'Folds the log into a snapshot and merges the segments that are due, now',
    access: 'admin',
    query: {
      full: { ...bool, description: 'Merge as many segments as a step takes, whether or not it is due' },
      foldOnly: { ...bool, description: 'Merge nothing' },
    },
    answer: SCHEMAS.compacted,
    handle: compact,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/garbage`,
    operation: 'siltstone_garbage',
    tag: 'Siltstone',
    summary: 'What a garbage collection would delete now',
    access: 'read',
    answer: SCHEMAS.garbage,
    handle: async (call) => json(await maintenanceOf(call).garbage(await collectionOf(call))),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/verify`,
    operation: 'siltstone_verify',
    tag: 'Siltstone',
    summary: 'Checks objects, references and counts; deep=true reads every byte',
    access: 'admin',
    readOnly: true,
    query: { deep: bool },
    answer: SCHEMAS.verified,
    handle: verify,
  },
  {
    method: 'POST',
    path: `${COLLECTION}/recall`,
    operation: 'siltstone_recall',
    tag: 'Siltstone',
    summary: 'Measures which part of the nearest records searches find, with the vectors of random records',
    access: 'read',
    body: object({
      k: uint,
      samples: uint,
      where: map,
      whereDocument: map,
      recall: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    }),
    isBodyOptional: true,
    answer: SCHEMAS.recall,
    handle: recall,
  },
]

async function compact(call: Call): Promise<Answer> {
  const info = await collectionOf(call)
  const full = flagQuery(call, 'full')
  const foldOnly = flagQuery(call, 'foldOnly')
  if (full && foldOnly) throw invalid('bad-query', 'give full or foldOnly, not both', { field: 'foldOnly' })
  return json(await maintenanceOf(call).compact(info, { full, merge: !foldOnly }))
}

async function verify(call: Call): Promise<Answer> {
  return json(await maintenanceOf(call).verify(await collectionOf(call), { deep: flagQuery(call, 'deep') }))
}

async function recall(call: Call): Promise<Answer> {
  const info = await collectionOf(call)
  const body = await bodyWith(call, ['k', 'samples', 'where', 'whereDocument', 'recall'])
  const bounded = (name: string, max: number, fallback: number) => {
    const value = body.optional(name, readUint) ?? fallback
    if (value >= 1 && value <= max) return value
    throw invalid('over-limit', `${name} is ${value}; give 1 to ${max}`, { field: name })
  }
  const filter = filterIn(body, call.limits)
  const aim = body.optional('recall', readNumber)
  return json(
    await maintenanceOf(call).recall(info, {
      k: bounded('k', MAX_K, 10),
      samples: bounded('samples', MAX_SAMPLES, 100),
      ...(filter && { filter }),
      ...(aim !== undefined && { search: { recall: aim } }),
    }),
  )
}
