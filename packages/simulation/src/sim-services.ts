/** Queue, leases and the other parts of an environment, as one process sees them. */
import {
  type AcquireResult,
  type Clock,
  type Environment,
  type Leases,
  type LeaseState,
  type Queue,
  type QueueDepth,
  type QueueMessage,
  silentLogger,
  systemIds,
} from 'siltstone/internal'
import { MemoryLeases } from 'siltstone/testing'
import { Chance } from './chance.ts'
import { ClaimChecks } from './claim-checks.ts'
import type { Incarnation } from './incarnation.ts'
import type { Network } from './network.ts'
import { Violation } from './violation.ts'
import { SimStore, type SimStoreOptions } from './sim-store.ts'

interface Message extends QueueMessage {
  visibleAtMs: number
}

/** The queue itself: at least once, in any order. */
export class QueueService {
  messages: Message[] = []
  sent = 0
  #receipts = 0
  readonly #waiting = new Set<() => void>()
  readonly #network: Network

  constructor(network: Network) {
    this.#network = network
  }

  send(body: string, delayMs: number): void {
    const nowMs = this.#network.scheduler.nowMs
    this.messages.push({
      id: `${++this.sent}`,
      body,
      receiveCount: 0,
      sentAtMs: nowMs,
      receipt: '',
      visibleAtMs: nowMs + delayMs,
    })
    for (const wake of this.#waiting) wake()
  }

  take(maxMessages: number, visibilityMs: number): QueueMessage[] {
    const { scheduler, chance, marks, calm } = this.#network
    const visible = this.messages.filter(({ visibleAtMs }) => visibleAtMs <= scheduler.nowMs)
    const taken: QueueMessage[] = []
    while (taken.length < maxMessages && visible.length > 0) {
      const at = calm ? 0 : chance.between(0, visible.length - 1)
      if (at > 0) marks.hit('queue: reordered')
      const [message] = visible.splice(at, 1) as [Message]
      message.receiveCount++
      if (message.receiveCount > 1) marks.hit('queue: delivered again')
      message.receipt = `${++this.#receipts}`
      // A duplicate: the message stays visible although it was delivered.
      message.visibleAtMs = !calm && chance.one(0.05) ? scheduler.nowMs : scheduler.nowMs + visibilityMs
      taken.push({ ...message })
    }
    return taken
  }

  find(message: QueueMessage): Message | undefined {
    return this.messages.find(({ id, receipt }) => id === message.id && receipt === message.receipt)
  }

  onArrival(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }
}

export class SimQueue implements Queue {
  readonly #network: Network
  readonly #process: Incarnation
  readonly #service: QueueService

  constructor(network: Network, process: Incarnation, service: QueueService) {
    this.#network = network
    this.#process = process
    this.#service = service
  }

  #request<T>(what: string, mutates: boolean, effect: () => T): Promise<T> {
    return this.#network.request(this.#process, { what, key: 'queue', mutates, effect })
  }

  send(body: string, options: { delayMs?: number } = {}): Promise<void> {
    return this.#request('send', true, () => this.#service.send(body, options.delayMs ?? 0))
  }

  async receive(options: {
    maxMessages: number
    visibilityMs: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<QueueMessage[]> {
    const { clock } = this.#process
    const deadlineMs = clock.monotonicMs() + options.waitMs
    for (;;) {
      options.signal?.throwIfAborted()
      const taken = await this.#request('receive', true, () =>
        this.#service.take(options.maxMessages, options.visibilityMs),
      )
      const leftMs = deadlineMs - clock.monotonicMs()
      if (taken.length > 0 || leftMs <= 0) return taken
      await this.#arrival(Math.min(leftMs, this.#network.calm ? 20_000 : 5_000), options.signal)
    }
  }

  /** A long poll: waits until a message arrives or the time has passed. */
  #arrival(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        cancel()
        forget()
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      const onAbort = () => end(() => reject(signal?.reason as Error))
      const cancel = this.#process.at(this.#network.scheduler.nowMs + ms, () => end(resolve))
      const forget = this.#service.onArrival(() => {
        if (this.#process.alive) end(resolve)
        else forget()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  extend(message: QueueMessage, visibilityMs: number): Promise<boolean> {
    return this.#request('extend', true, () => {
      const stored = this.#service.find(message)
      if (stored) stored.visibleAtMs = this.#network.scheduler.nowMs + visibilityMs
      return stored !== undefined
    })
  }

  acknowledge(message: QueueMessage): Promise<boolean> {
    return this.#request('acknowledge', true, () => {
      const stored = this.#service.find(message)
      this.#service.messages = this.#service.messages.filter((other) => other !== stored)
      return stored !== undefined
    })
  }

  depth(): Promise<QueueDepth> {
    return this.#request('depth', false, () => {
      const { nowMs } = this.#network.scheduler
      const visible = this.#service.messages.filter(({ visibleAtMs }) => visibleAtMs <= nowMs).length
      return { visible, inFlight: this.#service.messages.length - visible, delayed: 0, oldestAgeMs: undefined }
    })
  }

  deadLetters(): Promise<QueueMessage[]> {
    throw new Error('the simulated queue has no dead letters')
  }

  redrive(): Promise<number> {
    throw new Error('the simulated queue has no dead letters')
  }

  async close(): Promise<void> {}
}

/** The leases of the memory driver, which expire by the clock of the requesting process, like `:now` in a condition. */
export class LeaseService {
  readonly #owners = new Map<string, { owner: string; fencing: number }>()
  readonly #network: Network
  readonly #withoutLease: boolean
  #asking: Clock | undefined
  readonly #leases: MemoryLeases
  /** Undefined when clocks differ. */
  readonly #claims: ClaimChecks | undefined
  #free = 0

  constructor(network: Network, withoutLease: boolean, haveOneClock: boolean) {
    this.#network = network
    this.#claims = haveOneClock ? new ClaimChecks(network.marks, network.report) : undefined
    this.#withoutLease = withoutLease
    const ask = () => (this.#asking as Clock).nowMs()
    this.#leases = new MemoryLeases({ clock: { nowMs: ask } as Clock })
  }

  /** @param isAwaited whether the process still waits for the answer when the request takes effect */
  async acquire(
    by: Incarnation,
    name: string,
    owner: string,
    ttlMs: number,
    isAwaited: () => boolean,
  ): Promise<AcquireResult> {
    if (this.#withoutLease) return { status: 'acquired', fencing: ++this.#free }
    const before = await this.as(by, (leases) => leases.inspect(name))
    const all = await this.as(by, (leases) => leases.list())
    const answer = await this.as(by, (leases) => leases.acquire(name, owner, ttlMs))
    if (answer.status === 'busy') return answer
    const last = this.#owners.get(name)
    if (last && (last.owner === owner ? answer.fencing < last.fencing : answer.fencing <= last.fencing))
      this.#network.report(
        new Violation('fencing', `the number of ${name} went from ${last.fencing} to ${answer.fencing}`),
      )
    if (before?.owner !== undefined && before.owner !== owner) this.#network.marks.hit('lease taken over')
    this.#owners.set(name, { owner, fencing: answer.fencing })
    this.#claims?.onAcquired({ name, owner, isAwaited: by.alive && isAwaited() }, all, by.clock.nowMs())
    return answer
  }

  async heartbeat(by: Incarnation, name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean> {
    const before = await this.as(by, (leases) => leases.inspect(name))
    const nowMs = by.clock.nowMs()
    const isKept = await this.as(by, (leases) => leases.heartbeat(name, owner, fencing, ttlMs))
    if (isKept) this.#claims?.onHeartbeat(before, nowMs)
    return isKept
  }

  /** The driver takes effect entirely before it returns its promise. */
  as<T>(by: Incarnation, use: (leases: MemoryLeases) => Promise<T>): Promise<T> {
    this.#asking = by.clock
    return use(this.#leases)
  }

  get switchedOff(): boolean {
    return this.#withoutLease
  }
}

export class SimLeases implements Leases {
  readonly #network: Network
  readonly #process: Incarnation
  readonly #service: LeaseService

  constructor(network: Network, process: Incarnation, service: LeaseService) {
    this.#network = network
    this.#process = process
    this.#service = service
  }

  async #request<T>(what: string, key: string, effect: () => Promise<T>): Promise<T> {
    return (
      await this.#network.request(this.#process, {
        what,
        key,
        mutates: true,
        effect: () => ({ answer: effect() }),
      })
    ).answer
  }

  acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    let isAwaited = true
    const answer = this.#request('acquire', name, () =>
      this.#service.acquire(this.#process, name, owner, ttlMs, () => isAwaited),
    )
    return answer.finally(() => {
      isAwaited = false
    })
  }

  heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean> {
    if (this.#service.switchedOff) return Promise.resolve(true)
    return this.#request('heartbeat', name, () => this.#service.heartbeat(this.#process, name, owner, fencing, ttlMs))
  }

  release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'> {
    if (this.#service.switchedOff) return Promise.resolve('released')
    return this.#request('release', name, () =>
      this.#service.as(this.#process, (leases) => leases.release(name, owner, fencing)),
    )
  }

  markDirty(name: string): Promise<boolean> {
    return this.#request('mark', name, () => this.#service.as(this.#process, (leases) => leases.markDirty(name)))
  }

  inspect(name: string): Promise<LeaseState | undefined> {
    return this.#request('inspect', name, () => this.#service.as(this.#process, (leases) => leases.inspect(name)))
  }

  list(): Promise<LeaseState[]> {
    return this.#request('leases', '', () => this.#service.as(this.#process, (leases) => leases.list()))
  }

  force(name: string): Promise<LeaseState | undefined> {
    return this.#request('force', name, () => this.#service.as(this.#process, (leases) => leases.force(name)))
  }

  async close(): Promise<void> {}
}

export interface Services {
  network: Network
  queue: QueueService
  leases: LeaseService
  store: SimStoreOptions
}

/** The environment of one process. */
export function environmentOf(services: Services, process: Incarnation, seed: number): Environment {
  const { network } = services
  const random = new Chance(seed).split(process.name)
  return {
    store: new SimStore(network, process, services.store),
    queue: new SimQueue(network, process, services.queue),
    leases: new SimLeases(network, process, services.leases),
    clock: process.clock,
    random,
    ids: systemIds(process.clock, random),
    log: { ...silentLogger, error: (event, fields) => network.onError(process, event, fields) },
    metrics: network.marks.metrics,
  }
}
