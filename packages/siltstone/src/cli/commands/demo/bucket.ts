/** Counts the objects of the bucket by kind. */
import { type ParsedKey, parseKey } from '../../../format/keys.ts'
import { pages } from '../../../log/listing.ts'
import type { ObjectStore } from '../../../ports/object-store.ts'
import { bytes, count } from '../../format.ts'

export interface BucketLine {
  place: string
  what: string
  objects: number
  bytes: number
}

type Kind = ParsedKey['kind']

/** In the order of the keys. */
const KINDS: readonly (readonly [Kind, string, string])[] = [
  ['tenant', 'catalog/tenant/', 'tenants'],
  ['resource', 'catalog/resource/', 'resource names'],
  ['database', 'catalog/…/database/', 'databases'],
  ['collection-id', 'catalog/…/id/', 'collections'],
  ['collection-name', 'catalog/…/name/', 'claims to names'],
  ['log-entry', 'delta/<collection>/', 'log entries'],
  ['inbox', 'delta/<collection>/inbox/', 'deltas of producers'],
  ['embedding', 'embeddings/', 'cached embeddings of providers'],
  ['gc-due', 'gc-due/', 'due garbage collections'],
  ['store', 'snapshot/latest/', 'marks a Siltstone store'],
  ['bitmap', 'snapshot/<collection>/bitmap/', 'deleted rows'],
  ['pointer', 'snapshot/<collection>/latest/', 'the pointer to the current manifest'],
  ['list', 'snapshot/<collection>/list/', 'long lists'],
  ['manifest', 'snapshot/<collection>/manifest/', 'one per snapshot'],
  ['overlay-file', 'snapshot/<collection>/overlay/', 'changed columns'],
  ['segment-file', 'snapshot/<collection>/segment/', 'rows: vectors, texts, metadata, indexes'],
]

export async function bucketLines(store: ObjectStore): Promise<BucketLine[]> {
  const lines = new Map(KINDS.map(([kind, place, what]) => [kind, { place, what, objects: 0, bytes: 0 }]))
  for await (const page of pages(store, ''))
    for (const { key, sizeBytes } of page) {
      const parsed = parseKey(key)
      const line = parsed && lines.get(parsed.kind)
      if (!line) continue
      line.objects++
      line.bytes += sizeBytes
    }
  return [...lines.values()].filter(({ objects }) => objects > 0)
}

export function bucketText(lines: readonly BucketLine[]): string {
  const width = Math.max(...lines.map(({ place }) => place.length))
  const row = (place: string, objects: number, size: number, what: string) =>
    `  ${place.padEnd(width)} ${count(objects).padStart(6)} ${bytes(size).padStart(9)}  ${what}\n`
  const total = { objects: 0, bytes: 0 }
  for (const line of lines) {
    total.objects += line.objects
    total.bytes += line.bytes
  }
  return `${lines.map(({ place, objects, bytes: size, what }) => row(place, objects, size, what)).join('')}${row('', total.objects, total.bytes, 'total')}`
}
