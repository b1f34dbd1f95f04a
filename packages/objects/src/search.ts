/** Searches that lead back to the objects: to the page of a document, to the second of a recording. */
import type { Store } from 'siltstone'
import { notFound } from 'siltstone/internal'
import { fragmentOf } from './process/lineage.ts'

export interface SearchOptions {
  /** Default: the one with the name of the bucket. */
  collection?: string
  /** Default 10. */
  nResults?: number
  /** Chroma's filter of metadata: `{ object_key: 'talk.mp4' }`, `{ kind: 'transcript' }`. */
  where?: Record<string, unknown>
}

export interface OpenedHit {
  /** To be opened for an hour: with `#page=3` or `#t=12.4,19` at its end, which browsers follow. */
  url: string
  key: string
}

export interface ObjectHit {
  id: string
  bucket: string
  key: string
  version: string
  text: string
  /** Ascending: the nearest first. */
  distance: number
  /** `passage`, `transcript`, `scene`, `subtitle`, `container` or `attachment`. */
  kind: string
  page?: number
  startMs?: number
  endMs?: number
  heading?: string
  /** Key of a picture beside the object. */
  thumbnailKey?: string
  metadata: Readonly<Record<string, unknown>>
  uri: string | null
  /** A signed address of the object, at the place of the hit. */
  open(): Promise<OpenedHit>
}

const OPEN_FOR_MS = 60 * 60_000

/** @throws SiltstoneError `not-found` (collection-missing) */
export async function searchObjects(
  store: Store,
  bucket: string,
  text: string,
  sign: (key: string, expiresInMs: number) => Promise<string>,
  { collection = bucket, nResults = 10, where }: SearchOptions = {},
): Promise<ObjectHit[]> {
  const found = await store.getCollection({ name: collection })
  const ofObjects = { object_bucket: bucket }
  const result = await found.query({
    queryTexts: [text],
    nResults,
    where: (where === undefined ? ofObjects : { $and: [ofObjects, where] }) as never,
    include: ['documents', 'metadatas', 'distances', 'uris'],
  })
  return (result.rows()[0] ?? []).map(({ id, document, metadata, distance, uri }) => {
    const all = metadata ?? {}
    const textOf = (name: string) => (typeof all[name] === 'string' ? all[name] : undefined)
    const numberOf = (name: string) => (typeof all[name] === 'number' ? all[name] : undefined)
    const key = textOf('object_key')
    if (key === undefined) throw notFound('no-lineage', `The record ${JSON.stringify(id)} names no object.`)
    const optional = {
      page: numberOf('page'),
      startMs: numberOf('start_ms'),
      endMs: numberOf('end_ms'),
      heading: textOf('heading'),
      thumbnailKey: textOf('thumbnail_key'),
    }
    return {
      id,
      bucket,
      key,
      version: textOf('object_version') ?? '',
      text: document ?? '',
      distance: distance ?? Number.NaN,
      kind: textOf('kind') ?? '',
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
      metadata: all,
      uri: uri ?? null,
      open: async () => ({ key, url: `${await sign(key, OPEN_FOR_MS)}${fragmentOf(all)}` }),
    }
  })
}
