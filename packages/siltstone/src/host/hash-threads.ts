/**
 * Hashes large bodies in threads beside the one that receives them: MD5, which S3 gives as the ETag of an object, takes more
 * time a byte than everything else that is done with a body, and cannot be divided. Blocks are in memory that both threads
 * share, so none is copied for it.
 *
 * A thread is started when it is first needed and then stays; it does not keep its process alive while no body is hashed. In a
 * bundle without the module of the threads, the process hashes by itself.
 */
import { unavailable } from '../errors.ts'
import { BodyHash, type BodyHashes, type WantedHashes } from './blob-checksum.ts'
import type { FromHashThread, ToHashThread } from './hash-messages.ts'
import { machine } from './machine.ts'
import { moduleBeside } from './module-beside.ts'
import { startWorker, type WorkerHandle } from './worker.ts'

/** One body. After `digest` or `close` it is over. */
export interface BodyHasher {
  /**
   * Calls need not wait for one another.
   * @param block stays as it is until the promise is settled
   * @throws SiltstoneError `unavailable` (hash-thread-ended)
   */
  update(block: SharedArrayBuffer, length: number): Promise<void>
  /** @throws SiltstoneError `unavailable` (hash-thread-ended) */
  digest(): Promise<BodyHashes>
  close(): void
}

const MAX_THREADS = 4
const MODULE = moduleBeside('./hash-worker', import.meta.url)

export class HashThreads {
  readonly #module: URL | null
  readonly #maxThreads = Math.max(1, Math.min(MAX_THREADS, machine().cpus))
  readonly #threads = new Set<HashThread>()

  /** @param options.module what the threads run; null: there are none */
  constructor({ module = MODULE }: { module?: URL | null } = {}) {
    this.#module = module
  }

  open(wanted: WantedHashes = {}): BodyHasher {
    if (this.#module === null) return hasherHere(wanted)
    let best: HashThread | undefined
    for (const thread of this.#threads) if (best === undefined || thread.bodies < best.bodies) best = thread
    if (best === undefined || (best.bodies > 0 && this.#threads.size < this.#maxThreads))
      best = this.#start(this.#module)
    return best.open(wanted)
  }

  /** Ends the threads; bodies that are hashed fail. Another body starts them again. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  #start(module: URL): HashThread {
    const thread: HashThread = new HashThread(module, () => this.#threads.delete(thread))
    this.#threads.add(thread)
    return thread
  }
}

/** Those of the process. */
export const hashThreads = new HashThreads()

type Waiting = PromiseWithResolvers<BodyHashes | undefined>

class HashThread {
  readonly #worker: WorkerHandle<ToHashThread>
  /** Answers that each open body waits for, oldest first. */
  readonly #waiting = new Map<number, Waiting[]>()
  #number = 0
  #pending = 0
  #ended: Error | undefined

  constructor(module: URL, onEnd: () => void) {
    this.#worker = startWorker<ToHashThread, FromHashThread>(module, undefined, {
      onMessage: ({ body, hashes }) => {
        const answered = this.#waiting.get(body)?.shift()
        if (answered === undefined) return
        this.#settled(1)
        answered.resolve(hashes)
      },
      onExit: (_code, cause) => {
        onEnd()
        this.#ended = unavailable('hash-thread-ended', 'The thread that hashed the body ended. Send the body again.', {
          cause,
        })
        for (const waiting of this.#waiting.values()) for (const one of waiting) one.reject(this.#ended)
        this.#waiting.clear()
      },
    })
  }

  /** How many are open. */
  get bodies(): number {
    return this.#waiting.size
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  open(wanted: WantedHashes): BodyHasher {
    const body = ++this.#number
    const waiting: Waiting[] = []
    this.#waiting.set(body, waiting)
    this.#worker.post({ kind: 'open', body, wanted })
    const ask = async (message: ToHashThread): Promise<BodyHashes | undefined> => {
      if (this.#ended !== undefined) throw this.#ended
      const answer: Waiting = Promise.withResolvers()
      waiting.push(answer)
      if (this.#pending++ === 0) this.#worker.keepAlive(true)
      this.#worker.post(message)
      return answer.promise
    }
    return {
      update: async (block, length) => void (await ask({ kind: 'update', body, block, length })),
      digest: async () => {
        const hashes = await ask({ kind: 'digest', body })
        this.#waiting.delete(body)
        return hashes as BodyHashes
      },
      close: () => {
        if (!this.#waiting.delete(body)) return
        this.#settled(waiting.length)
        for (const one of waiting) one.resolve(undefined)
        this.#worker.post({ kind: 'close', body })
      },
    }
  }

  #settled(count: number): void {
    this.#pending -= count
    if (this.#pending === 0 && count > 0) this.#worker.keepAlive(false)
  }
}

function hasherHere(wanted: WantedHashes): BodyHasher {
  const hash = new BodyHash(wanted)
  return {
    update: async (block, length) => hash.update(new Uint8Array(block, 0, length)),
    digest: async () => hash.digest(),
    close: () => undefined,
  }
}
