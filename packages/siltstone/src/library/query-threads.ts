/**
 * Answers queries and searches in threads of their own, so that many of them use all cores of a machine. A thread is to the store
 * what another process is: its strong reads see every acknowledged write, and its cache of blocks is its own.
 *
 * A thread that ends without being told to is started again; its pending queries are answered by the process itself. In
 * a bundle without the threads' module (`siltstone/query-worker`) the process answers all queries.
 */
import type { Collection, Engine } from '../model/store.ts'
import { unavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/telemetry.ts'
import { moduleBeside } from '../host/module-beside.ts'
import { startWorker, type WorkerHandle } from '../host/worker.ts'
import {
  type Asked,
  type CollectionPlace,
  type FromQueryThread,
  type Method,
  type QueryThreadData,
  type Question,
  received,
  type ToQueryThread,
} from './query-messages.ts'

const RESTART_AFTER_MS = 1_000
const STOP_WITHIN_MS = 3_000

const MODULE = moduleBeside('./query-worker', import.meta.url)

export interface QueryThreadsOptions extends QueryThreadData {
  /** At least 1. */
  threads: number
  clock: Clock
  log: Logger
}

interface Thread {
  worker: WorkerHandle<ToQueryThread>
  ready: boolean
  waiting: Map<number, PromiseWithResolvers<Asked[Method]['response']>>
  ended: PromiseWithResolvers<void>
}

export class QueryThreads {
  readonly #options: QueryThreadsOptions
  readonly #threads = new Set<Thread>()
  #number = 0
  #closing = false

  /** @param module what the threads run; null starts none, and the process answers all queries itself */
  constructor(options: QueryThreadsOptions, module = MODULE) {
    this.#options = options
    if (module === null)
      options.log.warn('query_threads_unavailable', {
        reason: 'the module siltstone/query-worker is not beside this bundle',
        remedy: 'bundle it as query-worker beside this file, or set the number of query threads to 0',
      })
    else for (let i = 0; i < options.threads; i++) this.#start(module)
  }

  /** The number of threads that are ready. */
  get ready(): number {
    return [...this.#threads].filter(({ ready }) => ready).length
  }

  /** @throws SiltstoneError as the method does; `unavailable` (query-thread-ended) when no thread can answer */
  ask<Q extends Question>(place: CollectionPlace, question: Q): Promise<Asked[Q['kind']]['response']> {
    let best: Thread | undefined
    for (const thread of this.#threads)
      if (thread.ready && (!best || thread.waiting.size < best.waiting.size)) best = thread
    if (!best) return Promise.reject(ended())
    const number = this.#number++
    const answer = Promise.withResolvers<Asked[Method]['response']>()
    best.waiting.set(number, answer)
    best.worker.post({ ...question, number, place })
    // The thread answers a question by the method that it names.
    return answer.promise as Promise<Asked[Q['kind']]['response']>
  }

  /** Waits for queries in flight, within 3 s. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true
    const threads = [...this.#threads]
    for (const { worker } of threads) {
      worker.post({ kind: 'stop' })
      worker.keepAlive()
    }
    const cancel = this.#options.clock.timer(STOP_WITHIN_MS, () => {
      for (const { worker } of this.#threads) void worker.terminate()
    })
    await Promise.all(threads.map((thread) => thread.ended.promise))
    cancel()
  }

  #start(module: URL): void {
    const { place, allowNetworkFilesystem, blockCacheBytes } = this.#options
    const data: QueryThreadData = { place, allowNetworkFilesystem, blockCacheBytes }
    const waiting: Thread['waiting'] = new Map()
    const worker = startWorker<ToQueryThread, FromQueryThread>(module, data, {
      onMessage: (message) => receive(message),
      onExit: (code, error) => this.#exited(thread, module, code, error),
    })
    const thread: Thread = { worker, ready: false, waiting, ended: Promise.withResolvers() }
    const receive = (message: FromQueryThread) => {
      if (message.kind === 'ready') {
        thread.ready = true
        return
      }
      const answer = waiting.get(message.number)
      waiting.delete(message.number)
      if (message.kind === 'answer') answer?.resolve(message.response)
      else answer?.reject(received(message.error))
    }
    this.#threads.add(thread)
  }

  #exited(thread: Thread, module: URL, code: number, error: Error | undefined): void {
    this.#threads.delete(thread)
    thread.ended.resolve()
    for (const answer of thread.waiting.values()) answer.reject(ended())
    if (this.#closing) return
    const { clock, log } = this.#options
    log.error('query_thread_ended', { code, error: error && String(error), restartInMs: RESTART_AFTER_MS })
    clock.timer(RESTART_AFTER_MS, () => {
      if (!this.#closing) this.#start(module)
    })
  }
}

function ended(): Error {
  return unavailable('query-thread-ended', 'No query thread can answer at the moment.')
}

/** The engine, with queries answered by the threads where that is possible. Closing it closes the threads. */
export function withQueryThreads(engine: Engine, threads: QueryThreads): Engine {
  return {
    catalog: engine.catalog,
    collection: async (tenant, database, id) => answeredBy(threads, await engine.collection(tenant, database, id)),
    close: async () => {
      await threads.close()
      await engine.close()
    },
  }
}

function answeredBy(threads: QueryThreads, collection: Collection): Collection {
  const { tenant, database, id } = collection.info
  const place = { tenant, database, id }
  const asked = async <Q extends Question>(question: Q, here: () => Promise<Asked[Q['kind']]['response']>) => {
    if (threads.ready === 0) return here()
    try {
      return await threads.ask(place, question)
    } catch (error) {
      if (isEnded(error)) return here()
      throw error
    }
  }
  const methods: Pick<Collection, Method> = {
    query: (request) => asked({ kind: 'query', request }, () => collection.query(request)),
    search: (request) => asked({ kind: 'search', request }, () => collection.search(request)),
  }
  return new Proxy(collection, {
    get(target, key) {
      if (key in methods) return Reflect.get(methods, key)
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? (member as (...all: unknown[]) => unknown).bind(target) : member
    },
  })
}

function isEnded(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'query-thread-ended'
}
