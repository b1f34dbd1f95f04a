/** Writes of a client, and the checks of their answers. */
import { type Collection, isHandover, isSiltstoneError, type RecordOp } from 'siltstone/internal'
import { applyRecords, idsWhere, type ModelState } from './log-model.ts'
import { drawBatch, drawId, newMarker } from './draw-operations.ts'
import { strongStates } from './reads.ts'
import { type Call, expectNever, isClear } from './call.ts'
import type { TrueEntry } from './collection-truth.ts'

async function write(call: Call, collection: Collection): Promise<void> {
  const { world, chance } = call
  const marker = newMarker(world.next())
  const batch = drawBatch(chance, world.plan, marker)
  let version: number
  try {
    version = (await collection.write(batch)).version
  } catch (error) {
    if (isClear(error)) expectNever(call, marker, String(error))
    if (isSiltstoneError(error, 'invalid') && error.code === 'dimension-mismatch') return checkMismatch(call, batch)
    throw error
  }
  checkAcknowledged(call, version, batch, 'write')
}

/** The records are in that entry, contiguous, and in no earlier one. */
function checkAcknowledged(call: Call, version: number, batch: readonly RecordOp[], what: string): number | undefined {
  const { world, truth, from, memory, target } = call
  const marker = batch[0]?.id as string
  const entry = truth.log[version - 1]
  const handed = entry?.deltas.find(({ records }) => records?.some(({ id }) => id === marker))?.records ?? undefined
  const records = handed ?? entry?.entry.records ?? []
  if (handed) world.marks.hit('handed over')
  const at = records.findIndex(({ id }) => id === marker)
  if (!entry || at < 0) {
    world.fail('durability', `${what} ${marker} was acknowledged as entry ${version} of ${truth.path}, which lacks it`)
    return undefined
  }
  if (version <= from.end && entry.createdMs < from.atMs)
    world.fail('durability', `${what} ${marker} was acknowledged as ${version}, which is older than the write`)
  const written = records.slice(at, at + batch.length).map(({ op, id }) => `${op} ${id}`)
  const asked = batch.map(({ op, id }) => `${op} ${id}`)
  if (written.join() !== asked.join())
    world.fail('whole writes', `${what} ${marker} is in entry ${version} as ${written.join()}, not ${asked.join()}`)
  for (const { ulid, createdMs } of truth.inbox.values())
    if (!isHandover(ulid) && createdMs < from.atMs && (truth.mentioned.get(ulid) ?? Number.POSITIVE_INFINITY) > version)
      world.fail(
        'order of writes',
        `${what} ${marker} became entry ${version}, before delta ${ulid} that was there first`,
      )
  world.acknowledged.set(`${truth.path} ${marker}`, version)
  memory.versions.set(target.path, version)
  world.marks.hit(`${what} acknowledged`)
  return at
}

/** A batch is refused for its dimension only if some state during the call had another dimension. */
function checkMismatch(call: Call, batch: readonly RecordOp[]): void {
  const { world, truth, from } = call
  const dimension = batch.find(({ vector }) => vector)?.vector?.length
  const isOther = (state: ModelState) => state.dimension !== null && state.dimension !== dimension
  for (let version = from.end; version <= truth.end; version++) {
    // A reset at the end of an entry may undo the dimension that requests within the entry met.
    const entry = version > from.end ? truth.log[version - 1] : undefined
    if (entry && placesIn(entry).some(({ state }) => isOther(state)))
      return world.marks.hit('write of another dimension refused')
    for (const state of strongStates(from, version))
      if (isOther(state)) return world.marks.hit('write of another dimension refused')
  }
  world.fail('conditional writes', `a write of dimension ${dimension} was refused, but ${truth.path} has no other`)
}

async function deleteWhere(call: Call, collection: Collection): Promise<void> {
  const { world, chance } = call
  const value = chance.between(0, 2)
  const limit = chance.one(0.5) ? chance.between(0, 3) : undefined
  const answer = await collection.delete({
    filter: { kind: 'compare', key: 'n', op: 'eq', value: BigInt(value) },
    ...(limit !== undefined && { limit }),
  })
  const matching = (state: ModelState) => idsWhere(state, 'n', value).slice(0, limit)
  checkDeleted(call, answer, matching, `delete where n = ${value} limit ${limit}`)
  world.marks.hit('conditional delete acknowledged')
}

async function deleteIds(call: Call, collection: Collection): Promise<void> {
  const { world, chance } = call
  const ids = [drawId(chance, world.plan.ids), drawId(chance, world.plan.ids)]
  const answer = await collection.delete({ ids })
  checkDeleted(
    call,
    answer,
    (state) => [...new Set(ids)].filter((id) => state.records.has(id)),
    `delete of ${ids.join(' ')}`,
  )
}

/** The count is exact at the place of the write in the log. */
function checkDeleted(
  call: Call,
  answer: { version: number; deleted: number },
  matching: (state: ModelState) => string[],
  what: string,
): void {
  const { world, truth, from } = call
  const { version, deleted } = answer
  const entry = truth.log[version - 1]
  if (entry && version > from.end && placesIn(entry).some(({ state, rest }) => isPlace(matching(state), rest, deleted)))
    return
  // With nothing to delete and nothing to sequence no entry is written, but the state must match one during the call.
  if (deleted === 0 && version >= from.end && version <= truth.end) {
    for (const state of strongStates(from, version)) if (matching(state).length === 0) return
  }
  world.fail(
    'conditional writes',
    `${what} of ${truth.path} answered ${deleted} at version ${version} (log: ${from.end} to ${truth.end})`,
  )
}

function isPlace(ids: readonly string[], rest: readonly RecordOp[], deleted: number): boolean {
  if (ids.length !== deleted) return false
  const found = rest.slice(0, deleted)
  return found.length === deleted && found.every(({ op, id }) => op === 'delete' && ids.includes(id))
}

/** All places in an entry at which a request may have been evaluated. */
function placesIn(entry: TrueEntry): { state: ModelState; rest: readonly RecordOp[] }[] {
  const { records } = entry.entry
  const places = []
  let state = entry.between
  for (let at = 0; ; at++) {
    places.push({ state, rest: records.slice(at) })
    const record = records[at]
    if (!record) return places
    state = applyRecords(state, [record])
  }
}

async function commitIf(call: Call, collection: Collection): Promise<void> {
  const { world, chance, truth, memory, target } = call
  const marker = newMarker(world.next())
  const operations = drawBatch(chance, world.plan, marker)
  const readIds = [drawId(chance, world.plan.ids), drawId(chance, world.plan.ids)]
  let since = memory.seen.get(target.path)
  if (since === undefined || chance.one(0.5)) {
    since = (await collection.get({ ids: readIds, include: {} })).version
    memory.seen.set(target.path, since)
    await world.scheduler.sleep(chance.between(0, 500))
  }
  let version: number
  try {
    const answer = await collection.commitIf({ readToken: String(since), readIds, operations })
    version = answer.version
  } catch (error) {
    if (isClear(error)) expectNever(call, marker, String(error))
    if (isSiltstoneError(error, 'invalid') && error.code === 'dimension-mismatch')
      return checkMismatch(call, operations)
    if (isSiltstoneError(error, 'conflict')) world.marks.hit(`conditional commit: ${error.code}`)
    throw error
  }
  const at = checkAcknowledged(call, version, operations, 'conditional commit')
  const entry = truth.log[version - 1]
  if (at === undefined || !entry) return
  const changed = new Set<string>()
  for (let number = since + 1; number <= version; number++) {
    const { entry: one, deltas } = truth.log[number - 1] as TrueEntry
    for (const delta of deltas) for (const { id } of delta.records ?? []) changed.add(id)
    for (const { id } of number === version ? one.records.slice(0, at) : one.records) changed.add(id)
    if (one.control?.kind === 'reset') for (const id of readIds) changed.add(id)
  }
  const place = placesIn(entry)[at]
  for (const id of readIds) {
    const then = truth.state(since).records.get(id)
    const now = place?.state.records.get(id)
    if (changed.has(id) && JSON.stringify(then) !== JSON.stringify(now))
      world.fail('conditional writes', `${marker} was committed at ${version} although ${id} changed since ${since}`)
  }
}

async function rollback(call: Call, collection: Collection): Promise<void> {
  const { world, chance, truth } = call
  const kept = await collection.snapshots()
  if (kept.length === 0) return
  const { name, key } = chance.pick(kept)
  await world.scheduler.sleep(chance.one(0.2) ? chance.between(0, 30_000) : 0)
  let version: number
  try {
    version = (await collection.rollback(name)).version
  } catch (error) {
    // The snapshot was thinned out in the meantime.
    if (isSiltstoneError(error, 'not-found') && error.code === 'snapshot-missing') return
    throw error
  }
  const control = truth.log[version - 1]?.entry.control
  if (control?.kind !== 'reset' || control.manifestKey !== key)
    world.fail(
      'durability',
      `the rollback to ${key} was acknowledged as ${version}, which is ${JSON.stringify(control)}`,
    )
}

export const kinds = { write, deleteWhere, deleteIds, commitIf, rollback }
