/** What the parts of the blob store's contract share. */
import type { BlobStore, PutBlobResult } from './blob-store.ts'
import type { TestOf } from './store-testing.contract.ts'

export interface BlobTests {
  test: TestOf
  store: () => BlobStore
}

/** The memory of a chunk changes when the next one is asked for, as that of a caller may. */
export async function* streamOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    const lent = new Uint8Array(chunk)
    yield lent
    lent.fill(0)
  }
}

export function blobOf(result: PutBlobResult | { status: string }) {
  if (result.status !== 'ok') throw new Error(`not put: ${result.status}`)
  return (result as Extract<PutBlobResult, { status: 'ok' }>).blob
}
