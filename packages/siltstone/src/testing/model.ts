/**
 * An in-memory store that is simple enough to be correct: tests of the layers above run on it, and engines are compared
 * with it. Nothing is durable, nothing runs in the background, and each method takes effect before its first await.
 */
import type { Collection, Engine } from '../model/store.ts'
import type { Ids } from '../ports/ids.ts'
import { ModelCatalog } from './model-catalog.ts'

export interface ModelOptions {
  /** Default: 00000000-0000-4000-8000-000000000001 and so on, so that collections are listed in order of creation. */
  ids?: Pick<Ids, 'uuid'>
  /** The clock of `createdAtMs`. Default: always 0. */
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
    // There is nothing to release.
  }
}

function countingIds(): Pick<Ids, 'uuid'> {
  let last = 0
  return { uuid: () => `00000000-0000-4000-8000-${(++last).toString(16).padStart(12, '0')}` }
}

export { ModelCatalog } from './model-catalog.ts'
