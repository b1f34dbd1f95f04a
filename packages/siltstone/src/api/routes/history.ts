/** Endpoints of a collection's kept versions. */
import { checkedCollectionName } from '../../chroma/call.ts'
import { list, object, orNull, text, uint } from '../../chroma/openapi-schemas.ts'
import { type Answer, type Call, json, type Route } from '../../chroma/route.ts'
import { readBigUint, readString } from '../../chroma/wire/fields.ts'
import { summaryOf } from '../../engine/summary.ts'
import { bodyWith, COLLECTION, collectionOf, maintenanceOf } from '../call.ts'
import { exactAnswer } from '../json-text.ts'
import { SCHEMAS } from '../schemas.ts'
import { openInfo } from './collections.ts'

export const historyRoutes: Route[] = [
  {
    method: 'GET',
    path: `${COLLECTION}/snapshots`,
    operation: 'siltstone_snapshots',
    tag: 'Siltstone',
    summary: 'The kept snapshots, newest first; the header x-siltstone-at reads the state of a watermark',
    access: 'read',
    answer: SCHEMAS.snapshots,
    handle: async (call) => json(await (await openInfo(call, await collectionOf(call))).snapshots()),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/rollback`,
    operation: 'siltstone_rollback',
    tag: 'Siltstone',
    summary: 'Restores the records of a kept snapshot as a new version',
    access: 'write',
    body: object({ snapshot: text }, ['snapshot']),
    answer: SCHEMAS.written,
    handle: rollback,
  },
  {
    method: 'POST',
    path: `${COLLECTION}/fork`,
    operation: 'siltstone_fork',
    tag: 'Siltstone',
    summary: 'Creates a collection that shares the records of this one',
    access: 'write',
    body: object({ name: text }, ['name']),
    answer: SCHEMAS.summary,
    handle: fork,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/restore-points`,
    operation: 'siltstone_restore_points',
    tag: 'Siltstone',
    summary: 'Snapshots that are kept by name, newest first',
    access: 'read',
    answer: list(SCHEMAS.restorePoint),
    handle: async (call) => json(await maintenanceOf(call).restorePoints(await collectionOf(call))),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/restore-points`,
    operation: 'siltstone_keep',
    tag: 'Siltstone',
    summary: 'Keeps a snapshot by name: the state of now, or one of the kept snapshots',
    access: 'write',
    body: object({ name: text, snapshot: text, untilMs: orNull(uint) }, ['name']),
    answer: SCHEMAS.restorePoint,
    handle: keep,
  },
  {
    method: 'DELETE',
    path: `${COLLECTION}/restore-points/{name}`,
    operation: 'siltstone_release',
    tag: 'Siltstone',
    summary: 'Ends the keeping of a snapshot by name',
    access: 'write',
    answer: object({}),
    handle: release,
  },
]

async function rollback(call: Call): Promise<Answer> {
  const collection = await openInfo(call, await collectionOf(call))
  const body = await bodyWith(call, ['snapshot'])
  const { version } = await collection.rollback(body.required('snapshot', readString))
  return json({ version }, { version })
}

async function fork(call: Call): Promise<Answer> {
  const source = await openInfo(call, await collectionOf(call))
  const body = await bodyWith(call, ['name'])
  const info = await source.fork(checkedCollectionName(body.required('name', readString), 'name'))
  return exactAnswer(await summaryOf(info, await openInfo(call, info)))
}

async function keep(call: Call): Promise<Answer> {
  const info = await collectionOf(call)
  const body = await bodyWith(call, ['name', 'snapshot', 'untilMs'])
  const snapshot = body.optional('snapshot', readString)
  const untilMs = body.optional('untilMs', readBigUint)
  return json(
    await maintenanceOf(call).keep(info, {
      name: body.required('name', readString),
      ...(snapshot !== undefined && { snapshot }),
      ...(untilMs !== undefined && { untilMs }),
    }),
  )
}

async function release(call: Call): Promise<Answer> {
  await maintenanceOf(call).release(await collectionOf(call), call.param('name'))
  return json({})
}
