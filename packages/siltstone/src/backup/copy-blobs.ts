/**
 * Copies the objects of the S3 face, which are in use, to a store.
 *
 * Their index is a database. A copy of it as it is at one moment is made first (`copyIndex`), then the files that it names are
 * copied, and the copy of the index is put last. Files never change. One that was freed before the copy of the index
 * was made is not in it; one that is freed later stays for five minutes. If the copying takes longer, a file may be missing: then
 * all of it is done again with a newer copy of the index, and what is there is not copied again.
 */
import { join } from 'node:path'
import { copyIndex, DATA_PREFIX, INDEX_KEY } from '../drivers/directory/blobs/index-copy.ts'
import { makeTemporaryDirectory, removeTree } from '../host/files.ts'
import { openRandomAccess, type RandomAccessFile } from '../host/random-access-file.ts'
import { pages } from '../log/listing.ts'
import { outcomeUnknown } from '../errors.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Problem } from '../model/verify.ts'
import { type Copied, copyObjects, sizesUnder } from './copy-objects.ts'

const ATTEMPTS = 6
const WRITE_BYTES = 8 * 1024 * 1024

/**
 * @param directory of the store that is copied, which has objects
 * @returns files that are missing in the store itself
 */
export async function copyBlobs(
  directory: string,
  from: ObjectStore,
  to: ObjectStore,
  { copied, signal }: { copied: Copied; signal?: AbortSignal },
): Promise<Problem[]> {
  const scratch = await makeTemporaryDirectory('siltstone-backup-')
  try {
    for (let attempt = 1; ; attempt++) {
      const index = join(scratch, `index-${attempt}.sqlite`)
      const wanted = new Set(copyIndex(directory, index))
      const present = await sizesUnder(to, DATA_PREFIX)
      const sizes = new Map<string, number>()
      for await (const page of pages(from, DATA_PREFIX)) {
        for (const { key, sizeBytes } of page) if (wanted.has(key)) sizes.set(key, sizeBytes)
        await copyObjects(from, to, page, {
          copied,
          present,
          accept: (key) => wanted.has(key),
          ...(signal && { signal }),
        })
      }
      const there = await sizesUnder(to, DATA_PREFIX)
      const missing = [...wanted].filter((key) => there.get(key) === undefined || there.get(key) !== sizes.get(key))
      if (missing.length > 0 && attempt < ATTEMPTS) continue
      await putFile(to, INDEX_KEY, index, copied)
      return missing.map((key) => ({
        key,
        problem: `${key} is missing; it holds bytes of objects`,
        remedy: '"siltstone verify" says of which objects: upload them again.',
        severity: 'error',
      }))
    }
  } finally {
    await removeTree(scratch)
  }
}

async function putFile(to: ObjectStore, key: string, path: string, copied: Copied): Promise<void> {
  const file = await openRandomAccess(path)
  try {
    await upload(to, key, file)
    copied.objects++
    copied.sizeBytes += file.sizeBytes
  } finally {
    await file.close()
  }
}

async function upload(to: ObjectStore, key: string, file: RandomAccessFile): Promise<void> {
  const writing = await to.upload(key)
  try {
    for (let at = 0; at < file.sizeBytes; at += WRITE_BYTES)
      await writing.write(await file.read(at, Math.min(WRITE_BYTES, file.sizeBytes - at)))
    const done = await writing.complete()
    if (done.status !== 'ok')
      throw outcomeUnknown('outcome-unknown', `${key} was not completed: ${done.status}; run the backup again`, { key })
  } catch (error) {
    await writing.abort()
    throw error
  }
}
