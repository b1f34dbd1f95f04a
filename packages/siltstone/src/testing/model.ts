/**
 * An in-memory store that is obviously correct: tests of the layers above run on it, and engines are compared with it.
 * Nothing is durable, nothing runs in the background, every method takes effect before its first await.
 */
import type { Collection, Engine } from '../model/store.ts'
import type { Ids } from '../ports/ids.ts'
import { ModelCatalog } from './model-catalog.ts'

export interface ModelOptions {
  /** By default 00000000-0000-4000-8000-000000000001 and on, so that collections are listed as they were made. */
  ids?: Pick<Ids, 'uuid'>
  /** Stamps `createdAtMs`; by default it stands at 0. */
  nowMs?: () => number
}

export class ModelEngine implements Engine {
  readonly catalog: ModelCatalog

  constructor(options: ModelOptions = {}) {
    this.catalog = new ModelCatalog(options.ids ?? countingIds(), options.nowMs ?? (() => 0))
  }

  async collection(tenant: string, database: string, id: string): Promise<Collection> {
    return this.catalog.open(tenant, database, id)
  }

  async close(): Promise<void> {
    // Nothing runs and nothing is held.
  }
}

function countingIds(): Pick<Ids, 'uuid'> {
  let last = 0
  return { uuid: () => `00000000-0000-4000-8000-${(++last).toString(16).padStart(12, '0')}` }
}

export { ModelCatalog } from './model-catalog.ts'
