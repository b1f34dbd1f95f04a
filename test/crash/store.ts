/** Reads of the store without any memory of earlier ones, as a fresh process sees it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { closeEnvironment, collectionPath, openEnvironment, verifyCollection } from 'siltstone/internal'
import { openStore, type StoreCollection } from 'siltstone'
import type { Record } from './writer-model.ts'
import { command, type Ran } from '../processes/process.ts'

export async function createThings(directory: string): Promise<void> {
  const store = await openStore(directory, { compaction: 'off' })
  await store.createCollection({ name: 'things', embeddingFunction: null })
  await store.close()
}

/** Appends an entry from a process of its own that changes no record: it deletes an id that nobody uses. */
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

/**
 * A backup of a store in use by copying alone:
 *
 *     cp -r data backup && cp -rn data backup && rm -rf backup/.siltstone backup/.tmp
 *
 * First it copies everything, then the files that are not in the copy yet, so that no pointer is newer than the objects
 * it names. A listing of a busy directory can miss a name and show a later one; `siltstone verify` detects that, and one
 * more `cp -rn` repairs it.
 * @returns the number of passes, and whether the first one alone was complete
 */
export async function backUp(from: string, to: string): Promise<{ passes: number; firstWasWhole: boolean }> {
  await copy(from, to, [])
  const firstWasWhole = (await verified(to)).code === 0
  for (let passes = 2; ; passes++) {
    await copy(from, to, ['-n'])
    const { code, out, err } = await verified(to)
    if (code === 0) return { passes, firstWasWhole }
    if (passes > 6) throw new Error(`the copy does not become whole: ${out}${err}`)
  }
}

/** cp reports files that vanish while it copies (temporary or collected ones); only `verify` decides. */
async function copy(from: string, to: string, options: readonly string[]): Promise<void> {
  const child = spawn('cp', ['-r', ...options, `${from}/.`, to], { stdio: 'ignore' })
  await once(child, 'close')
  for (const folder of ['.siltstone', '.tmp']) rmSync(join(to, folder), { recursive: true, force: true })
}

async function verified(to: string): Promise<Ran> {
  const ran = await command(['verify', '--data', to, '--json']).done
  rmSync(join(to, '.siltstone'), { recursive: true, force: true })
  return ran
}
