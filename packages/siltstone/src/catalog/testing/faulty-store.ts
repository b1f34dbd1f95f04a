import { outcomeUnknown, unavailable } from '../../errors.ts'
import type {
  DeleteResult,
  GetOptions,
  GetResult,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  Upload,
} from '../../ports/object-store.ts'

/**
 * `before`: refused, nothing applied. `after`: applied, the answer lost. `refused-after`: applied, lost, and repeated by
 * the driver, which now hears that the condition fails. `crash-…`: the process ends there.
 */
export type Fault = 'before' | 'after' | 'refused-after' | 'crash-before' | 'crash-after'

/** A process that ended: not an error of the store, so nothing may handle it. */
export class Crash extends Error {}

export interface FaultyOptions {
  /** Asked with the number of the request, from 1. */
  fault?: (request: number, isWrite: boolean) => Fault | undefined
  /** Waited for before a request takes effect and before its answer arrives. */
  pause?: () => Promise<unknown>
}

/** One process's view of a store, with faults between the two. */
export class FaultyStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #options: FaultyOptions
  #crashed = false
  requests = 0
  readonly log: string[] = []

  constructor(inner: ObjectStore, options: FaultyOptions = {}) {
    this.#inner = inner
    this.#options = options
  }

  get description(): string {
    return this.#inner.description
  }

  get capabilities() {
    return this.#inner.capabilities
  }

  get crashed(): boolean {
    return this.#crashed
  }

  get(key: string, options?: GetOptions): Promise<GetResult> {
    return this.#run(`get ${key}`, false, () => this.#inner.get(key, options))
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#run(`head ${key}`, false, () => this.#inner.head(key))
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    const condition = options?.ifAbsent === true ? ' if-absent' : options?.ifMatch === undefined ? '' : ' if-match'
    return this.#run(`put ${key}${condition}`, true, () => this.#inner.put(key, body, options))
  }

  upload(): Promise<Upload> {
    throw new Error('the catalog uploads nothing')
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#run(`list ${prefix}`, false, () => this.#inner.list(prefix, options))
  }

  delete(keys: readonly string[]): Promise<DeleteResult> {
    return this.#run(`delete ${keys.join(' ')}`, true, () => this.#inner.delete(keys))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #run<T>(what: string, isWrite: boolean, effect: () => Promise<T>): Promise<T> {
    if (this.#crashed) throw new Crash('the process has ended')
    const fault = this.#options.fault?.(++this.requests, isWrite)
    this.log.push(what)
    await this.#options.pause?.()
    if (this.#crashed) throw new Crash('the process has ended')
    if (fault === 'crash-before') throw this.#crash()
    if (fault === 'before') throw unavailable('injected', `${what}: refused`)
    let result = await effect()
    if (fault === 'refused-after') result = await effect()
    if (fault === 'crash-after') throw this.#crash()
    await this.#options.pause?.()
    if (this.#crashed) throw new Crash('the process has ended')
    if (fault === 'after') throw outcomeUnknown('injected', `${what}: the answer was lost`)
    return result
  }

  #crash(): Crash {
    this.#crashed = true
    return new Crash('the process ends here')
  }
}
