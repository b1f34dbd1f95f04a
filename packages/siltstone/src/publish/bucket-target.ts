/**
 * A published folder in a bucket that is served as a static host. Objects whose names are hashes of their content never change, so
 * browsers and caches keep them; the others are requested each time.
 */
import { concatBytes } from '../codec/bytes.ts'
import { unavailable } from '../errors.ts'
import type { BlobHead, BlobStore } from '../ports/blob-store.ts'
import { MODULE_PART } from './page-files.ts'
import { PART } from './part-writer.ts'
import type { PublishTarget } from './publish-target.ts'

const FOR_EVER = 'public, max-age=31536000, immutable'
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  bin: 'application/octet-stream',
}

export function headOf(name: string): BlobHead {
  return {
    contentType: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    cacheControl: PART.test(name) || MODULE_PART.test(name) ? FOR_EVER : 'no-cache',
  }
}

export function bucketTarget(blobs: Pick<BlobStore, 'get' | 'put' | 'list' | 'delete' | 'description'>): PublishTarget {
  return {
    list: async (folder) => {
      const names: string[] = []
      let continuation: string | undefined
      do {
        const page = await blobs.list({ prefix: folder, delimiter: '/', ...(continuation && { continuation }) })
        names.push(...page.blobs.map(({ key }) => key))
        continuation = page.continuation
      } while (continuation !== undefined)
      return names
    },
    read: async (name) => {
      const got = await blobs.get(name)
      if (got.status !== 'ok') return undefined
      const chunks: Uint8Array[] = []
      for await (const chunk of got.body) chunks.push(chunk)
      return concatBytes(chunks)
    },
    write: async (name, bytes) => {
      const { status } = await blobs.put(name, bytes, { head: headOf(name) })
      if (status !== 'ok')
        throw unavailable('write-refused', `${blobs.description} did not take ${name}: ${status}`, { key: name })
    },
    remove: async (name) => {
      await blobs.delete(name)
    },
  }
}
