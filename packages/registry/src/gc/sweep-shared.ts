/** Deletes what helps deduplication (`xet/shared-chunks.ts`) and leads to nothing any more. Nothing else depends on it. */
import type { ObjectStore } from 'siltstone/internal'
import {
  CHUNKED_FILES_PREFIX,
  chunkedFileKey,
  fileOfSharedChunk,
  SHARED_CHUNKS_PREFIX,
  xorbKey,
  XORB_USES_PREFIX,
  xorbUseOfKey,
  XORBS_PREFIX,
} from '../store/keys.ts'
import { objectsUnder } from './objects-under.ts'

const PER_BATCH = 1_000

/** @param before younger ones may be there before what they lead to */
export async function sweepShared(store: ObjectStore, before: number): Promise<void> {
  const files = await keysUnder(store, CHUNKED_FILES_PREFIX)
  await sweep(store, SHARED_CHUNKS_PREFIX, before, (key) => {
    const sha256 = fileOfSharedChunk(key)
    return sha256 !== undefined && files.has(chunkedFileKey(sha256))
  })
  const xorbs = await keysUnder(store, XORBS_PREFIX)
  await sweep(store, XORB_USES_PREFIX, before, (key) => {
    const use = xorbUseOfKey(key)
    return use !== undefined && xorbs.has(xorbKey(use.folder, use.hash))
  })
}

async function keysUnder(store: ObjectStore, prefix: string): Promise<Set<string>> {
  const keys = new Set<string>()
  for await (const { key } of objectsUnder(store, prefix)) keys.add(key)
  return keys
}

async function sweep(
  store: ObjectStore,
  prefix: string,
  before: number,
  isUseful: (key: string) => boolean,
): Promise<void> {
  const useless: string[] = []
  for await (const { key, lastModifiedMs } of objectsUnder(store, prefix))
    if (lastModifiedMs < before && !isUseful(key)) useless.push(key)
  for (let at = 0; at < useless.length; at += PER_BATCH) {
    const { failed } = await store.delete(useless.slice(at, at + PER_BATCH))
    if (failed[0] !== undefined) throw failed[0].error
  }
}
