/** FNV-1a of the id, 0 to 99: a filter on it is independent of the vectors, with any selectivity. */
export function bucketOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  // FNV of similar ids has similar low bits.
  return ((hash ^ (hash >>> 15)) >>> 0) % 100
}

export function withBucket(id: string, metadata: string): string {
  return `${metadata.slice(0, metadata.lastIndexOf('}'))}${metadata.length > 2 ? ',' : ''}"bucket":${bucketOf(id)}}`
}
