import { decodeManifest, decodePointer, pathOf, pointerKey } from 'siltstone/internal'
import type { Collection, Engine } from './word-search.ts'

/** The sections of all segments of a collection, with their sizes in bytes. */
export async function sectionsOf(engine: Engine, collection: Collection): Promise<{ name: string; length: number }[]> {
  const key = pointerKey(pathOf(collection.info))
  const read = async (name: string) => {
    const got = await engine.env.store.get(name)
    if (got.status !== 'ok') throw new Error(`${name} is missing`)
    return got.body
  }
  const manifestKey = decodePointer(await read(key), key)
  return decodeManifest(await read(manifestKey), manifestKey).segments.flatMap(({ segment }) => segment.sections)
}
