/**
 * Deletes records. The caller says how many it expects, so that a filter that matches more than was meant deletes
 * nothing; the deletion fails if one of the records changes before it. A restore point is kept before, for people.
 */
import { type Collection, conflict, invalid, isSiltstoneError, notFound, type RestorePoint } from 'siltstone/internal'
import { z } from 'zod'
import { collectionName, filterFrom, where } from '../filter.ts'
import { open, type Scope } from '../scope.ts'
import { answer } from '../text.ts'
import { defineTool } from '../tool.ts'

const MAX_RECORDS = 1_000
const KEPT_MS = 30 * 86_400_000

export const forgetTool = defineTool({
  name: 'forget',
  title: 'Delete records',
  description:
    'Deletes records by id or filter. confirm_count must equal the number of records that match: look with get first.',
  input: z.object({
    collection: collectionName,
    ids: z.array(z.string().min(1)).min(1).max(MAX_RECORDS).optional(),
    where: where.optional(),
    confirm_count: z.number().int().min(0),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async run(scope, { collection: name, ids, where: json, confirm_count: expected }) {
    if ((ids === undefined) === (json === undefined))
      throw invalid('ids-or-where', 'Give ids or where, one of both.', { field: 'ids' })
    const collection = await open(scope, name)
    const filter = filterFrom(json)
    const matching = await collection.get({
      ...(ids && { ids }),
      ...(filter && { filter }),
      limit: MAX_RECORDS + 1,
      include: {},
    })
    const count = matching.ids.length
    if (count > MAX_RECORDS)
      throw invalid('too-many-records', `More than ${MAX_RECORDS} records match. Delete in smaller parts.`)
    if (count !== expected)
      throw conflict(
        'count-differs',
        `${count} records match, confirm_count is ${expected}: nothing was deleted. Look at them with get, then repeat with confirm_count ${count}.`,
      )
    if (count === 0) throw notFound('nothing-matches', 'No record matches: nothing was deleted.')
    const point = await keep(scope, collection, matching.version)
    const { version } = await collection.commitIf({
      readToken: String(matching.version),
      readIds: matching.ids,
      operations: matching.ids.map((id) => ({
        op: 'delete',
        id,
        vector: null,
        document: null,
        metadata: null,
        uri: null,
      })),
    })
    const undo =
      point === undefined
        ? `get and search with at ${matching.version} still read them`
        : `get and search with at ${matching.version} still read them; siltstone snapshots rollback ${name} ${point.snapshot}`
    return answer({ collection: name, deleted: count, version, version_before: matching.version, undo }, [
      `Deleted ${count} from ${name}: version ${version}; before it was version ${matching.version}.`,
      `undo: ${undo}`,
    ])
  },
})

async function keep(
  { maintenance, nowMs }: Scope,
  collection: Collection,
  version: number,
): Promise<RestorePoint | undefined> {
  if (maintenance === undefined) return undefined
  try {
    return await maintenance.keep(collection.info, {
      name: `before forget at version ${version}`,
      untilMs: nowMs() + KEPT_MS,
    })
  } catch (error) {
    // An attempt before this one kept it and then failed.
    if (!isSiltstoneError(error, 'conflict')) throw error
    const points = await maintenance.restorePoints(collection.info)
    return points.find(({ name }) => name === `before forget at version ${version}`)
  }
}
