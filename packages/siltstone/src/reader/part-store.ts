/** The files of a published folder as objects: each lies there in parts of one size, some ranges in `search.json`. */
import { fromBase64 } from '#codec'
import { concatBytes } from '../codec/bytes.ts'
import type { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { corrupt } from '../errors.ts'
import { filesOf, partKey, type Published } from '../format/published.ts'
import type { ReadRange } from '../format/segment/source.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import type { ObjectStore } from '../ports/object-store.ts'

/** A part is fetched whole where this share of it is wanted: a whole file is kept by the browser's cache. */
const WHOLE_SHARE = 3 / 4

export function partStore(store: FetchObjectStore, published: Published): { store: ObjectStore; read: ReadRange } {
  const sizes = new Map(filesOf(published).map(({ key, sizeBytes }) => [key, sizeBytes]))
  const inline = published.inline.map(({ key, offset, base64 }) => ({ key, offset, bytes: fromBase64(base64) }))
  const read: ReadRange = async (key, offset, length) => {
    const sizeBytes = sizes.get(key)
    const partBytes = published.partBytes[key]
    if (sizeBytes === undefined || partBytes === undefined)
      throw corrupt('object-missing', `${key} is no file of the published folder`, { key })
    const end = Math.min(offset + length, sizeBytes)
    const known = inline.find((one) => one.key === key && one.offset <= offset && end <= one.offset + one.bytes.length)
    // A copy: callers may keep it.
    if (known) return known.bytes.slice(offset - known.offset, end - known.offset)
    const pieces: Promise<Uint8Array>[] = []
    for (let part = Math.floor(offset / partBytes); part * partBytes < end; part++) {
      const first = part * partBytes
      const from = Math.max(offset, first) - first
      const to = Math.min(end, first + partBytes) - first
      pieces.push(readPart(partKey(key, part), from, to, Math.min(partBytes, sizeBytes - first)))
    }
    const [first = new Uint8Array(0), ...others] = await Promise.all(pieces)
    return others.length === 0 ? first : concatBytes([first, ...others])
  }
  const readPart = async (key: string, from: number, to: number, partBytes: number): Promise<Uint8Array> => {
    const isWhole = to - from >= partBytes * WHOLE_SHARE
    const range = { offset: from, length: to - from }
    const got = await store.get(key, { immutable: true, ...(isWhole ? {} : { range }) })
    if (got.status !== 'ok')
      throw corrupt('object-missing', `${store.description} has no ${key}, which search.json names`, { key })
    return isWhole ? got.body.subarray(from, to) : got.body
  }
  return {
    read,
    store: forwardingStore(store, {
      get: async (key, { range } = {}) => {
        const sizeBytes = sizes.get(key)
        if (sizeBytes === undefined) return { status: 'not-found' }
        const { offset, length } = range ?? { offset: 0, length: sizeBytes }
        return { status: 'ok', body: await read(key, offset, length), etag: undefined, sizeBytes, lastModifiedMs: 0 }
      },
    }),
  }
}
