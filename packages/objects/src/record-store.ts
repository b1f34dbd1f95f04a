/** The store that has the records and the states of processing, opened when it is first asked. */
import { openStore, type Store } from 'siltstone'
import {
  type BlobStore,
  closeEnvironment,
  type Environment,
  type Logger,
  openEnvironmentAt,
  unsupported,
} from 'siltstone/internal'
import type { Notify } from './process/notifying-buckets.ts'
import { StateStore } from './process/state-store.ts'
import { ObjectTracker } from './process/tracker.ts'
import { type ObjectHit, searchObjects, type SearchOptions } from './search.ts'

export class RecordStore {
  readonly #place: string | undefined
  readonly #options: { log: Logger; allowNetworkFilesystem?: boolean }
  #environment: Promise<Environment> | undefined
  #store: Promise<Store> | undefined

  /** @param place as for `openStore`; undefined: nobody said where it is */
  constructor(place: string | undefined, options: { log: Logger; allowNetworkFilesystem?: boolean }) {
    this.#place = place
    this.#options = options
  }

  async tracker(bucket: string, blobs: BlobStore, notify: Notify): Promise<ObjectTracker> {
    const { store, clock, ids } = await this.#open()
    return new ObjectTracker({ bucket, blobs, states: new StateStore(store, ids), store, notify, clock })
  }

  async search(
    bucket: string,
    text: string,
    sign: (key: string, expiresInMs: number) => Promise<string>,
    options: SearchOptions,
  ): Promise<ObjectHit[]> {
    const environment = await this.#open()
    this.#store ??= openStore({ environment, logger: this.#options.log })
    return searchObjects(await this.#store, bucket, text, sign, options)
  }

  async close(): Promise<void> {
    if (this.#store !== undefined) await (await this.#store).close()
    if (this.#environment !== undefined) await closeEnvironment(await this.#environment)
  }

  /** @throws SiltstoneError `unsupported` (no-record-store), and as `openEnvironmentAt` does */
  #open(): Promise<Environment> {
    if (this.#place === undefined)
      throw unsupported(
        'no-record-store',
        'It is not known which store has the records of this bucket: give its place as the option store, or with --data.',
        { field: 'store' },
      )
    return (this.#environment ??= openEnvironmentAt(this.#place, this.#options))
  }
}
