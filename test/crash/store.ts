/** Reads of the store without any memory of earlier ones, as a fresh process sees it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { closeEnvironment, collectionPath, openEnvironment, verifyCollection } from 'siltstone/internal'
import { openStore, type StoreCollection } from 'siltstone'
import type { Record } from './writer-model.ts'
import { command } from '../processes/process.ts'

export async function createThings(directory: string): Promise<void> {
  const store = await openStore(directory, { compaction: 'off' })
  await store.createCollection({ name: 'things', embeddingFunction: null })
  await store.close()
}

/** Appends an entry from a process of its own that changes no record: it deletes an id that does not exist. */
export async function appendEntry(directory: string): Promise<void> {
  const store = await openStore(directory, { compaction: 'off' })
  try {
    const things = await store.getCollection({ name: 'things', embeddingFunction: null })
    await things.delete({ ids: ['nobody-0'] })
  } finally {
    await store.close()
  }
}

export interface FreshView {
  records: [string, Record][]
  count: number
  problems: string[]
}

/** @param verify also check each checksum, reference and count */
export async function readFresh(directory: string, verify: boolean): Promise<FreshView> {
  const env = await openEnvironment(directory)
  const store = await openStore({ environment: env })
  try {
    const things = await store.getCollection({ name: 'things', embeddingFunction: null })
    const got = await things.get({ include: ['embeddings', 'documents', 'metadatas'] })
    const records = got.rows().map((row): [string, Record] => [
      row.id,
      {
        vector: [...(row.embedding ?? [])],
        document: row.document ?? '',
        metadata: (row.metadata ?? {}) as Record['metadata'],
      },
    ])
    return { records, count: await things.count(), problems: verify ? await problemsOf(env, things) : [] }
  } finally {
    await store.close()
    await closeEnvironment(env)
  }
}

async function problemsOf(env: Parameters<typeof verifyCollection>[0], things: StoreCollection): Promise<string[]> {
  const { tenant, database, id } = things
  const path = collectionPath({ tenant, database, collectionId: id })
  const { problems } = await verifyCollection(env, path, { deep: true })
  return problems.map(({ severity, key, problem }) => `${severity} ${key}: ${problem}`)
}

/** A backup of a store in use. @returns how many collections were copied more than once */
export async function backUp(from: string, to: string): Promise<number> {
  const { code, out, err } = await command(['backup', '--data', from, '--to', to, '--json']).done
  rmSync(join(to, '.siltstone'), { recursive: true, force: true })
  if (code !== 0) throw new Error(`siltstone backup ended with ${code}: ${out}${err}`)
  return (JSON.parse(out) as { repeated: number }).repeated
}
