/**
 * A process on the store that its parent controls, with one request per line on stdin and one answer per line on stdout:
 * a user of the library (with the default compaction thread), a bare producer, or a compactor with the garbage
 * collector. Its limits are so small that every path is taken often, and its clock can be set back.
 */
import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import {
  type Clock,
  collectionPath,
  directoryLimits,
  isSiltstoneError,
  type Op,
  openEnvironment,
  produce,
  type RecordOp,
  systemClock,
} from 'siltstone/internal'
import { openStore, type StoreCollection } from 'siltstone'
import { openBusyEngine, storeOn } from '../processes/busy-store.ts'
import type { Operation } from './writer-model.ts'

export type Request =
  | { id: number; do: 'operation'; operation: Operation }
  | { id: number; do: 'records' }
  | { id: number; do: 'compact' | 'collect' }
  | { id: number; do: 'set-clock'; offsetMs: number }

export interface Answer {
  id: number
  error?: { kind: string; code: string; message: string }
  deleted?: number
  records?: [string, number[], string, { [key: string]: string | number }][]
}

export type Role = 'library' | 'skewed' | 'producer' | 'compactor'

const [directory, role, pace] = process.argv.slice(2) as [string, Role, 'brisk' | undefined]
/** The limits of a directory, two hundred times as short. All processes of a store must use the same. */
const log = {
  ...directoryLimits,
  ...(pace === 'brisk' && {
    writerStalenessMs: 300,
    readSpanMs: 1_500,
    entryRetentionMs: 3_000,
    inboxRetentionMs: 3_000,
    foldedRecordExtraMs: 120_000,
  }),
}

let offsetMs = 0
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs }
const env = role === 'library' && pace !== 'brisk' ? undefined : await openEnvironment(directory, { clock })
const engine = env && (await openBusyEngine(env, log))
const store = env && engine ? storeOn(env, engine) : await openStore(directory)
const collection: StoreCollection = await store.getCollection({ name: 'things', embeddingFunction: null })
const path = collectionPath({ tenant: collection.tenant, database: collection.database, collectionId: collection.id })

async function answer(request: Request): Promise<Omit<Answer, 'id'>> {
  switch (request.do) {
    case 'operation':
      return role === 'producer' ? drop(request.operation) : write(request.operation)
    case 'records': {
      const got = await collection.get({ include: ['embeddings', 'documents', 'metadatas'] })
      return {
        records: got
          .rows()
          .map((row) => [
            row.id,
            [...(row.embedding ?? [])],
            row.document ?? '',
            row.metadata as { [key: string]: string | number },
          ]),
      }
    }
    case 'compact':
      await engine?.compact(path)
      return {}
    case 'collect':
      await engine?.collectGarbage(path)
      return {}
    case 'set-clock':
      offsetMs = request.offsetMs
      return {}
  }
}

async function write(operation: Operation): Promise<Omit<Answer, 'id'>> {
  switch (operation.kind) {
    case 'add':
    case 'upsert':
      await collection[operation.kind]({
        ids: operation.ids,
        embeddings: operation.records.map(({ vector }) => vector),
        documents: operation.records.map(({ document }) => document),
        metadatas: operation.records.map(({ metadata }) => metadata),
      })
      return {}
    case 'update':
      await collection.update({ ids: operation.ids, metadatas: operation.ids.map(() => operation.metadata) })
      return {}
    case 'delete':
      await collection.delete({ ids: operation.ids })
      return {}
    case 'delete-where': {
      const { writer, group, limit } = operation
      const { deleted } = await collection.delete({ where: { $and: [{ writer }, { group }] }, limit })
      return { deleted }
    }
  }
}

async function drop(operation: Operation): Promise<Omit<Answer, 'id'>> {
  if (!env || operation.kind === 'delete-where') throw new Error('a producer cannot do this')
  const records = operation.ids.map((id, i): RecordOp => {
    const made = 'records' in operation ? operation.records[i] : undefined
    const metadata = operation.kind === 'update' ? operation.metadata : made?.metadata
    return {
      op: operation.kind satisfies Op,
      id,
      vector: made ? Float32Array.from(made.vector) : null,
      document: made?.document ?? null,
      metadata: metadata ? JSON.stringify(metadata) : null,
      uri: null,
    }
  })
  await produce(env, path, { records }, { maxBytes: directoryLimits.deltaBytes })
  return {}
}

const say = (given: Answer) => process.stdout.write(`${JSON.stringify(given)}\n`)
say({ id: 0 })
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request
  try {
    say({ id: request.id, ...(await answer(request)) })
  } catch (error) {
    const { kind, code } = isSiltstoneError(error) ? error : { kind: 'none', code: 'none' }
    say({
      id: request.id,
      error: { kind, code, message: inspect(error) },
    })
  }
}
await store.close()
