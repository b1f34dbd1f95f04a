/**
 * What a page or an edge function would bundle to read a collection: log, snapshot and query over an object store, and
 * the default embedder. `portable.test.ts` bundles this module for browsers.
 */
import { yieldToEventLoop } from '#codec'
import { EnglishEmbedder } from '../../embed/english/index.ts'
import { loadRegexFor } from '../../filter/regex.ts'
import { parseWhere, parseWhereDocument } from '../../filter/parse.ts'
import { CollectionState } from '../../log/collection-state.ts'
import { bucketLimits } from '../../log/log-limits.ts'
import type { Space } from '../../model/collection.ts'
import type { QueryResponse } from '../../model/read.ts'
import type { Environment } from '../../ports/environment.ts'
import { forwardingStore } from '../../ports/forwarding-store.ts'
import { BlockCache } from '../../snapshot/block-cache.ts'
import { SegmentPool } from '../../snapshot/open-segment.ts'
import { search } from '../search.ts'

export interface PortableQuery {
  vector: number[]
  where?: unknown
  whereDocument?: unknown
}

export function openCollection(environment: Environment, path: string, space: Space) {
  const { store } = environment
  const env: Environment = {
    ...environment,
    store: forwardingStore(store, {
      // As `fetch` gives them: plain bytes of this realm.
      get: async (key, options) => {
        const got = await store.get(key, options)
        return got.status === 'ok' ? { ...got, body: new Uint8Array(got.body) } : got
      },
    }),
  }
  const pool = new SegmentPool(env.store, new BlockCache(1 << 24))
  const state = new CollectionState({ env, path, pool, limits: bucketLimits, inbox: true })
  return {
    /** @param json a `PortableQuery` */
    query: async (json: string): Promise<QueryResponse> => {
      const { vector, where, whereDocument } = JSON.parse(json) as PortableQuery
      await loadRegexFor(where, whereDocument)
      const clauses = [
        ...(where === undefined ? [] : [parseWhere(where)]),
        ...(whereDocument === undefined ? [] : [parseWhereDocument(whereDocument)]),
      ]
      const view = await state.strongView()
      const vectors = [Float32Array.from(vector)]
      const include = { documents: true, metadatas: true, distances: true }
      const filter = clauses.length === 0 ? {} : { filter: { kind: 'and' as const, clauses } }
      return search(view, space, { vectors, k: 8, include, ...filter }, yieldToEventLoop)
    },
  }
}

/** @param files of the default embedder, by name */
export async function embed(
  files: Readonly<Record<string, Uint8Array>>,
  texts: readonly string[],
): Promise<number[][]> {
  const readPackageFiles = async (_: string, names: readonly string[]) =>
    names.map((name) => new Uint8Array(files[name] as Uint8Array))
  const vectors = await new EnglishEmbedder({ models: { readPackageFiles } }).embed([...texts])
  return vectors.map((vector) => Array.from(vector))
}
