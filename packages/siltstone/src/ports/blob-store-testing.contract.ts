/** What the parts of the blob store's contract share. */
import type { BlobStore, PutBlobResult } from './blob-store.ts'
import type { TestOf } from './store-testing.contract.ts'

export interface BlobTests {
  test: TestOf
  store: () => BlobStore
}

export async function* streamOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

export function blobOf(result: PutBlobResult | { status: string }) {
  if (result.status !== 'ok') throw new Error(`not put: ${result.status}`)
  return (result as Extract<PutBlobResult, { status: 'ok' }>).blob
}
