/**
 * A process on the store: a user of the library with its compaction thread, a bare producer, or a compactor with the
 * garbage collector. One request per line on stdin, one answer per line on stdout.
 *
 * SILTSTONE_TEST_BROKEN makes a broken copy of the product here, which the checker must catch:
 * `late-read` answers reads from the version before the current one; `early-answer` acknowledges writes before they are made.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { collectionPath, directoryLimits, isSiltstoneError, openEnvironment, produce } from 'siltstone/internal'
import { openS3Environment } from 'siltstone/aws'
import { openStore, type StoreCollection } from 'siltstone'
import { openBusyEngine, storeOn } from '../processes/busy-store.ts'
import type { Answer as Base } from '../processes/child.ts'
import {
  ALL,
  columnsOf,
  idsOf,
  type Operation,
  type Output,
  type Row,
  rowsOf,
  vectorOf,
  whereOf,
} from './operations.ts'

export type Answer = Base & Output
export type Role = 'library' | 'producer' | 'compactor'
type Asked = { id: number } & ({ do: 'operation'; operation: Operation } | { do: 'compact' | 'collect' })

const [place, role] = process.argv.slice(2) as [string, Role]
const broken = process.env['SILTSTONE_TEST_BROKEN']
const openPlace = place.startsWith('s3://') ? openS3Environment : openEnvironment
const env = role === 'library' ? undefined : await openPlace(place)
const engine = env && (await openBusyEngine(env))
const store = env && engine ? storeOn(env, engine) : await openStore(place)
const things: StoreCollection = await store.getCollection({ name: 'things', embeddingFunction: null })
const path = collectionPath({ tenant: things.tenant, database: things.database, collectionId: things.id })

async function answer(asked: Asked): Promise<Output> {
  if (asked.do !== 'operation') {
    await (asked.do === 'compact' ? engine?.compact(path) : engine?.collectGarbage(path))
    return {}
  }
  const { operation } = asked
  if (role === 'producer') return drop(operation)
  if (operation.kind === 'read') return { rows: await read(operation) }
  if (broken !== 'early-answer' || operation.kind === 'delete-where' || operation.kind === 'delete')
    return write(operation)
  void sleep(100)
    .then(() => write(operation))
    .catch(() => undefined)
  return {}
}

async function write(operation: Exclude<Operation, { kind: 'read' }>): Promise<Output> {
  const { group } = operation
  switch (operation.kind) {
    case 'add':
    case 'upsert':
      await things[operation.kind](columnsOf(group, operation.members, operation.stamp))
      return {}
    case 'update': {
      const { members, stamp } = operation
      await things.update({ ids: idsOf(group, members), metadatas: members.map(() => ({ touched: stamp })) })
      return {}
    }
    case 'delete':
      return { deleted: (await things.delete({ ids: idsOf(group, operation.members) })).deleted }
    case 'delete-where': {
      const where = whereOf(operation) as { group: number }
      return { deleted: (await things.delete({ where, limit: operation.limit })).deleted }
    }
  }
}

async function read(operation: Extract<Operation, { kind: 'read' }>): Promise<Row[]> {
  if (broken !== 'late-read') return readAt(operation)
  const { version } = await things.get({ limit: 1 })
  try {
    return await readAt(operation, Math.max(0, version - 1))
  } catch (error) {
    // It is no longer kept.
    if (!isSiltstoneError(error, 'not-found')) throw error
    return readAt(operation)
  }
}

async function readAt(operation: Extract<Operation, { kind: 'read' }>, at?: number): Promise<Row[]> {
  const { group, how } = operation
  const options = { include: ['embeddings' as const, 'documents' as const, 'metadatas' as const], at }
  let rows
  if (how === 'query') {
    const queryEmbeddings = [vectorOf(1)]
    const result = await things.query({ ...options, queryEmbeddings, where: { group }, nResults: ALL.length })
    rows = result.rows()[0] ?? []
  } else {
    const which = how === 'ids' ? { ids: idsOf(group, ALL) } : { where: { group } }
    rows = (await things.get({ ...options, ...which })).rows()
  }
  return rowsOf(group, {
    ids: rows.map(({ id }) => id),
    embeddings: rows.map(({ embedding }) => [...(embedding ?? [])]),
    documents: rows.map(({ document }) => document ?? ''),
    metadatas: rows.map(({ metadata }) => metadata as Record<string, number>),
  })
}

async function drop(operation: Operation): Promise<Output> {
  if (!env || (operation.kind !== 'upsert' && operation.kind !== 'delete')) throw new Error('a producer cannot do this')
  const { kind: op, group, members } = operation
  const columns = op === 'upsert' ? columnsOf(group, members, operation.stamp) : undefined
  const records = idsOf(group, members).map((id, i) => ({
    op,
    id,
    vector: columns ? Float32Array.from(columns.embeddings[i] ?? []) : null,
    document: columns?.documents[i] ?? null,
    metadata: columns ? JSON.stringify(columns.metadatas[i]) : null,
    uri: null,
  }))
  await produce(env, path, { records }, { maxBytes: directoryLimits.deltaBytes })
  return {}
}

const say = (given: Answer) => process.stdout.write(`${JSON.stringify(given)}\n`)
async function serve(asked: Asked): Promise<void> {
  try {
    say({ id: asked.id, ...(await answer(asked)) })
  } catch (error) {
    const { kind, code } = isSiltstoneError(error) ? error : { kind: 'none', code: 'none' }
    say({ id: asked.id, error: { kind, code, message: inspect(error) } })
  }
}

say({ id: 0 })
const running = new Set<Promise<void>>()
for await (const line of createInterface({ input: process.stdin })) {
  const one = serve(JSON.parse(line) as Asked).finally(() => running.delete(one))
  running.add(one)
}
await Promise.all(running)
await store.close()
