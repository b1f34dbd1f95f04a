/** A store with the objects beside it. */
import { openStore as openRecords, type Store, type StoreOptions } from 'siltstone'
import { invalid } from 'siltstone/internal'
import type { Objects } from './objects.ts'
import { openObjects, type OpenObjectsOptions } from './open-objects.ts'

export interface StoreWithObjects extends Store {
  readonly objects: Objects
}

export interface OpenStoreWithObjectsOptions extends StoreOptions {
  /** The bucket of the objects and how URLs are signed; for a store in a bucket, `bucket` or `place` (`s3://my-uploads`) is needed. */
  objects?: Omit<OpenObjectsOptions, 'store'> & { place?: string }
}

/**
 * The store of a place, with its objects: closing it closes both.
 *
 *     await using store = await openStore('./data', { objects: { bucket: 'media' } })
 *     await store.objects.put('talk.mp4', { file: './talk.mp4' })
 *
 * @param place as for `openStore` of `siltstone`
 * @throws SiltstoneError as `openStore` and `openObjects` do, `invalid` (no-objects-place)
 */
export async function openStore(
  place: string,
  { objects: chosen = {}, ...options }: OpenStoreWithObjectsOptions = {},
): Promise<StoreWithObjects> {
  const { place: given, ...more } = chosen
  const isUrl = place.startsWith('s3://')
  const named = isUrl && more.bucket !== undefined ? `s3://${more.bucket}` : undefined
  const objectsPlace = given ?? named
  if (isUrl && objectsPlace === undefined)
    throw invalid(
      'no-objects-place',
      `The objects of a store in a bucket are in a bucket of their own: give objects: { bucket: 'my-uploads' } beside ${place}.`,
      { field: 'objects.place' },
    )
  const objects = await openObjects(objectsPlace ?? place, { ...more, store: place })
  let store: Store
  try {
    store = await openRecords(place, options)
  } catch (error) {
    await objects.close()
    throw error
  }
  const closeStore = store.close.bind(store)
  const close = async () => {
    await objects.close()
    await closeStore()
  }
  return Object.defineProperties(store, {
    objects: { value: objects, enumerable: true },
    close: { value: close },
  }) as StoreWithObjects
}
