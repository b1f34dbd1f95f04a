/** Copies objects from one store to another. */
import { outcomeUnknown } from '../errors.ts'
import { pages } from '../log/listing.ts'
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts'

/** An object that is larger is copied in ranges, so that memory stays bounded. */
const RANGE_BYTES = 8 * 1024 * 1024
const CONCURRENCY = 8

export interface Copied {
  objects: number
  sizeBytes: number
}

export interface CopyOptions {
  /** Sizes of the objects that the target has, by key. Objects that never change are not copied again. */
  present?: ReadonlyMap<string, number>
  accept?: (key: string) => boolean
  copied: Copied
  signal?: AbortSignal
}

/** Copies all objects under a prefix; one that is deleted meanwhile is left out. */
export async function copyPrefix(
  from: ObjectStore,
  to: ObjectStore,
  prefix: string,
  options: CopyOptions,
): Promise<void> {
  for await (const page of pages(from, prefix)) await copyObjects(from, to, page, options)
}

/** Sizes of the objects under a prefix, by key. */
export async function sizesUnder(store: ObjectStore, prefix: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for await (const page of pages(store, prefix)) for (const { key, sizeBytes } of page) sizes.set(key, sizeBytes)
  return sizes
}

export async function copyObjects(
  from: ObjectStore,
  to: ObjectStore,
  objects: readonly ObjectInfo[],
  { present, accept, copied, signal }: CopyOptions,
): Promise<void> {
  const wanted = objects.filter(({ key, sizeBytes }) => (accept?.(key) ?? true) && present?.get(key) !== sizeBytes)
  for (let i = 0; i < wanted.length; i += CONCURRENCY) {
    signal?.throwIfAborted()
    await Promise.all(
      wanted.slice(i, i + CONCURRENCY).map(async ({ key, sizeBytes }) => {
        const size =
          sizeBytes <= RANGE_BYTES ? await copySmall(from, to, key) : await copyLarge(from, to, key, sizeBytes)
        if (size === undefined) return
        copied.objects++
        copied.sizeBytes += size
      }),
    )
  }
}

/** @returns the size; undefined when the object does not exist any more */
async function copySmall(from: ObjectStore, to: ObjectStore, key: string): Promise<number | undefined> {
  const got = await from.get(key)
  if (got.status !== 'ok') return undefined
  await to.put(key, got.body)
  return got.body.length
}

async function copyLarge(
  from: ObjectStore,
  to: ObjectStore,
  key: string,
  sizeBytes: number,
): Promise<number | undefined> {
  const upload = await to.upload(key)
  try {
    for (let offset = 0; offset < sizeBytes; offset += RANGE_BYTES) {
      const got = await from.get(key, { range: { offset, length: Math.min(RANGE_BYTES, sizeBytes - offset) } })
      if (got.status !== 'ok') {
        await upload.abort()
        return undefined
      }
      await upload.write(got.body)
    }
    const done = await upload.complete()
    if (done.status !== 'ok')
      throw outcomeUnknown('outcome-unknown', `${key} was not completed: ${done.status}; run the backup again`, { key })
    return sizeBytes
  } catch (error) {
    await upload.abort()
    throw error
  }
}
