import type { BlobStore, PartInfo, PutBlobOptions, PutBlobResult } from '../../ports/blob-store.ts'
import type { Logger } from '../../ports/telemetry.ts'
import type { BodyCheck } from '../../host/blob-checksum.ts'

const PART_BYTES = 8 * 1024 * 1024
/** Parts double in size after so many, so that 10,000 of them hold 5 TiB. */
const PARTS_OF_ONE_SIZE = 1_000

/** A body in pieces for the parts of an upload, hashed on the way. Only the last one may be small. */
export async function* inParts(body: AsyncIterable<Uint8Array>, check: BodyCheck): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = []
  let size = 0
  let count = 0
  for await (const chunk of body) {
    check.update(chunk)
    for (let rest = chunk; rest.length > 0; ) {
      const wanted = PART_BYTES * 2 ** Math.floor(count / PARTS_OF_ONE_SIZE) - size
      const piece = rest.subarray(0, wanted)
      chunks.push(new Uint8Array(piece))
      size += piece.length
      rest = rest.subarray(piece.length)
      if (piece.length < wanted) continue
      yield Buffer.concat(chunks)
      chunks = []
      size = 0
      count++
    }
  }
  if (size > 0) yield Buffer.concat(chunks)
}

const PARTS_AT_ONCE = 4

export interface StartedBody {
  started: readonly Uint8Array[]
  rest: AsyncIterable<Uint8Array>
  check: BodyCheck
  log: Logger
}

/** A put whose body is larger than one part. */
export async function putInParts(
  store: Pick<BlobStore, 'createUpload' | 'putPart' | 'completeUpload' | 'abortUpload'>,
  key: string,
  options: PutBlobOptions,
  { started, rest, check, log }: StartedBody,
): Promise<PutBlobResult> {
  const { head, tags, checksum } = options
  const type = checksum && (checksum.algorithm.startsWith('CRC') ? ('FULL_OBJECT' as const) : undefined)
  const { uploadId } = await store.createUpload(key, {
    ...(head && { head }),
    ...(tags && { tags }),
    ...(checksum && { checksum: { algorithm: checksum.algorithm, ...(type && { type }) } }),
  })
  try {
    const sent: PartInfo[] = []
    const sending = new Set<Promise<void>>()
    let failure: unknown
    const send = async (bytes: Uint8Array, partNumber: number) => {
      sent[partNumber - 1] = await store.putPart(key, uploadId, partNumber, bytes)
    }
    let number = 0
    const start = async (bytes: Uint8Array) => {
      while (sending.size >= PARTS_AT_ONCE) await Promise.race(sending)
      const one = send(bytes, ++number).catch((error: unknown) => {
        failure ??= error
      })
      sending.add(one)
      void one.finally(() => sending.delete(one))
    }
    for (const bytes of started) await start(bytes)
    for await (const bytes of rest) {
      if (failure !== undefined) break
      await start(bytes)
    }
    await Promise.all(sending)
    if (failure !== undefined) throw failure as Error
    check.finish()
    const { ifAbsent, ifMatch } = options
    const done = await store.completeUpload(key, uploadId, sent, {
      ...(ifAbsent && { ifAbsent }),
      ...(ifMatch !== undefined && { ifMatch }),
    })
    if (done.status !== 'ok') await store.abortUpload(key, uploadId)
    return done
  } catch (error) {
    await store.abortUpload(key, uploadId).catch((failure: unknown) => {
      log.warn('blobs.upload-left', { key, uploadId, error: failure })
    })
    throw error
  }
}
