/** The object store as one process sees it through the network. */
import {
  compareKeys,
  type DeleteResult,
  type GetOptions,
  type GetResult,
  type ListOptions,
  type ListPage,
  listRequest,
  type ObjectInfo,
  type ObjectStore,
  type ObjectStoreCapabilities,
  type PutOptions,
  type PutResult,
  unavailable,
  type Upload,
} from 'siltstone/internal'
import { pageOf } from './bucket.ts'
import type { Incarnation } from './incarnation.ts'
import type { Network } from './network.ts'

export interface SimStoreOptions {
  /** Whether one page shows one point in time. */
  atomicListPages: boolean
  /** The most keys of a page; 1,000 means no extra limit. */
  pageKeys: number
  /** Whether reading costs little, as on a disk. */
  isLocal: boolean
}

export class SimStore implements ObjectStore {
  readonly description = 'simulated'
  readonly capabilities: ObjectStoreCapabilities
  readonly #network: Network
  readonly #process: Incarnation
  readonly #options: SimStoreOptions

  constructor(network: Network, process: Incarnation, options: SimStoreOptions) {
    this.#network = network
    this.#process = process
    this.#options = options
    const { atomicListPages, isLocal } = options
    this.capabilities = { atomicListPages, cheapStartAfter: atomicListPages, isLocal, gapBytes: 32 * 1024 }
  }

  get(key: string, options?: GetOptions): Promise<GetResult> {
    const { bucket } = this.#network
    return this.#network.request(this.#process, {
      what: 'get',
      key,
      mutates: false,
      effect: () => bucket.get(key, options),
      onAnswer: (got) => this.#maybeDamage(key, got),
    })
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    const { bucket } = this.#network
    return this.#network.request(this.#process, {
      what: 'head',
      key,
      mutates: false,
      effect: () => bucket.head(key),
    })
  }

  put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    const { bucket, marks } = this.#network
    const copy = new Uint8Array(body)
    return this.#network.request(this.#process, {
      what: 'put',
      key,
      mutates: true,
      effect: () => bucket.put(key, copy, options, this.#process.name),
      onAnswer: (answer) => {
        if (answer.status === 'ok') return answer
        const now = bucket.peek(key)
        if (now && Buffer.compare(now.body, copy) === 0) marks.hit(`ambiguous 412: ${kindOf(key)}`)
        return answer
      },
    })
  }

  async upload(key: string, options: { ifAbsent?: true; contentType?: string } = {}): Promise<Upload> {
    const chunks: Uint8Array[] = []
    let ended = false
    return {
      write: async (chunk) => {
        if (ended) throw new Error(`write to ${key} after its end`)
        chunks.push(new Uint8Array(chunk))
      },
      complete: () => {
        if (ended) throw new Error(`complete of ${key} after its end`)
        ended = true
        return this.put(key, Buffer.concat(chunks), options)
      },
      abort: async () => {
        ended = true
      },
    }
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    const request = listRequest(prefix, options)
    const { bucket, chance, marks } = this.#network
    const first = this.#options.atomicListPages ? undefined : bucket.after(request)
    const shape = {
      what: 'list',
      key: prefix,
      mutates: false,
      effect: () => {
        const now = bucket.after(request)
        let infos = [...now.values()]
        if (first) {
          // Each name that was added or removed while the directory was read is shown or not, independently.
          const unsure = [...first.keys()].filter((key) => !now.has(key))
          infos = infos.filter(({ key }) => first.has(key) || chance.one(0.5))
          if (infos.length < now.size) marks.hit('listing missed a new name')
          for (const key of unsure)
            if (chance.one(0.5)) {
              infos.push(first.get(key) as ObjectInfo)
              marks.hit('listing showed a deleted name')
            }
          infos.sort((a, b) => compareKeys(a.key, b.key))
        }
        const small = this.#options.pageKeys < 1_000
        const limit = small ? chance.between(chance.one(0.1) ? 0 : 1, this.#options.pageKeys) : 1_000
        const page = pageOf(infos, request, Math.min(limit, request.limit))
        if (page.continuation !== undefined) marks.hit('listing of several pages')
        return page
      },
    }
    return this.#network.request(this.#process, shape)
  }

  delete(keys: readonly string[]): Promise<DeleteResult> {
    const { bucket, chance, faults, marks } = this.#network
    const asked = [...keys]
    return this.#network.request(this.#process, {
      what: 'delete',
      key: asked.join(' '),
      mutates: true,
      effect: () => {
        const result: DeleteResult = { deleted: [], failed: [] }
        for (const key of asked) {
          const refused = this.#network.refusal(this.#process, 'delete')
          if (refused) result.failed.push({ key, error: refused })
          else if (chance.one(faults.before)) {
            marks.hit('partial delete')
            result.failed.push({ key, error: unavailable('injected', 'this key was not deleted') })
          } else {
            bucket.delete(key, this.#process.name)
            result.deleted.push(key)
          }
        }
        return result
      },
    })
  }

  async close(): Promise<void> {}

  #maybeDamage(key: string, got: GetResult): GetResult {
    const { chance, faults, marks, trace, scheduler } = this.#network
    // The store's descriptor is plain text without a checksum.
    if (
      got.status !== 'ok' ||
      got.body.length === 0 ||
      key === 'snapshot/latest/pointer.txt' ||
      !chance.one(faults.damage)
    )
      return got
    this.#network.damaged++
    this.#network.lastDamageMs = scheduler.nowMs
    marks.hit(`damaged body: ${kindOf(key)}`)
    trace.add(scheduler.nowMs, this.#process.name, 'damage', key, '')
    if (chance.one(0.4)) return { ...got, body: got.body.slice(0, chance.between(0, got.body.length - 1)) }
    const body = got.body.slice()
    const at = chance.between(0, body.length - 1)
    body[at] = (body[at] as number) ^ (1 << chance.between(0, 7))
    return { ...got, body }
  }
}

function kindOf(key: string): string {
  if (key.startsWith('catalog/')) return 'catalog'
  if (key.startsWith('gc-due/')) return 'gc-due'
  if (key.includes('/inbox/')) return 'inbox'
  if (key.startsWith('delta/')) return 'entry'
  if (key.endsWith('pointer.txt')) return 'pointer'
  return key.split('/')[2] ?? 'other'
}
