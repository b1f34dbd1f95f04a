import { expect } from 'vitest'
import { compareKeys } from './object-key.ts'
import type { GetResult, ListOptions, ObjectStore, PutResult } from './object-store.ts'

/** `it`, unless the driver deviates. */
export type TestOf = (title: string, run: () => Promise<void>) => void

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (body: Uint8Array): string => new TextDecoder().decode(body)
export const inByteOrder = (keys: readonly string[]): string[] =>
  keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff)
}

export function okOf(result: GetResult) {
  if (result.status !== 'ok') throw new Error(`expected ok, got ${result.status}`)
  return result
}

export function etagOf(result: PutResult): string {
  if (result.status !== 'ok') throw new Error(`expected ok, got ${result.status}`)
  return result.etag
}

export async function entriesOf(store: ObjectStore, prefix: string, options: ListOptions = {}): Promise<string[]> {
  const entries: string[] = []
  let continuation: string | undefined
  do {
    const page = await store.list(prefix, continuation === undefined ? options : { ...options, continuation })
    expect(page.objects.length + page.prefixes.length).toBeLessThanOrEqual(options.limit ?? 1000)
    // The two lists are each in order; together they are in order from page to page.
    entries.push(...[...page.objects.map(({ key }) => key), ...page.prefixes].sort(compareKeys))
    continuation = page.continuation
  } while (continuation !== undefined)
  return entries
}

export const keysOf = (store: ObjectStore, prefix: string) => entriesOf(store, prefix)

export async function groupsOf(store: ObjectStore, prefix: string): Promise<[string[], string[]]> {
  const page = await store.list(prefix, { delimiter: '/' })
  return [page.objects.map(({ key }) => key), page.prefixes]
}

/** One character per byte. */
export async function blobText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}
