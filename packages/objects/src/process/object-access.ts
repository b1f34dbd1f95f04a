/** Range reads of one version of an object, as a processor does them. */
import type { RandomAccess } from '@siltstone/processors'
import { type BlobStore, invalid, SiltstoneError } from 'siltstone/internal'
import type { ObjectVersion } from './state.ts'

/** The version is no longer there: it was deleted or replaced. What is there now is looked at afresh. */
export class Superseded extends SiltstoneError {
  constructor(key: string, etag: string) {
    super('conflict', 'object-changed', `The version ${etag} of ${JSON.stringify(key)} is gone.`, { key })
  }
}

export interface ObjectAccess extends RandomAccess {
  /** The first read that failed: a parser may take that for a damaged file. */
  readonly failure: { error: unknown } | undefined
}

/** @param versionId where the bucket keeps versions */
export function objectAccess(
  blobs: BlobStore,
  key: string,
  { etag, sizeBytes }: ObjectVersion,
  versionId: string | undefined,
): ObjectAccess {
  let failure: { error: unknown } | undefined
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (offset >= sizeBytes || length <= 0) return new Uint8Array(0)
    const got = await blobs.get(key, {
      ifMatch: etag,
      range: { offset, length },
      ...(versionId !== undefined && { versionId }),
    })
    if (got.status === 'bad-range') throw invalid('corrupt-file', `The object ends before byte ${offset}.`)
    if (got.status !== 'ok') throw new Superseded(key, etag)
    const bytes = new Uint8Array(got.end - got.start)
    let at = 0
    for await (const chunk of got.body) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }
  return {
    sizeBytes,
    get failure() {
      return failure
    },
    async read(offset, length) {
      try {
        return await read(offset, length)
      } catch (error) {
        failure ??= { error }
        throw error
      }
    },
  }
}
