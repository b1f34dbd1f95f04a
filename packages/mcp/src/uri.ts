/** URIs of resources: `siltstone://notes` is a collection, `siltstone://notes/an%20id` a record. */

export function collectionUri(collection: string): string {
  return `siltstone://${encodeURIComponent(collection)}`
}

export function recordUri(collection: string, id: string): string {
  return `${collectionUri(collection)}/${encodeURIComponent(id)}`
}
