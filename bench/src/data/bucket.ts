/** FNV-1a of the id, 0 to 99: a filter on it has nothing to do with the vectors, and any selectivity one wants. */
export function bucketOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  // The low bits of FNV of similar ids are alike.
  return ((hash ^ (hash >>> 15)) >>> 0) % 100
}

export function withBucket(id: string, metadata: string): string {
  return `${metadata.slice(0, metadata.lastIndexOf('}'))}${metadata.length > 2 ? ',' : ''}"bucket":${bucketOf(id)}}`
}
