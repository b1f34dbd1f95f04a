/**
 * One run: processes of all kinds on one collection, clients that use them, and harm. It writes the history of the
 * clients. When all have finished, a new process appends an entry, which sequences what killed processes had handed over
 * (docs/decisions/0011-fair-writing.md), and every process that is left reads every group.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from 'siltstone'
import { Chance } from '../processes/chance.ts'
import { command, Gone, Refused, type Variables } from '../processes/process.ts'
import { type Actor, ChildActor, CommandActor, ServerActor } from './actors.ts'
import type { FaultyProxy } from './faulty-proxy.ts'
import { Groups, hasProducers } from './groups.ts'
import { type Entry, History } from './history.ts'
import type { Operation, Output } from './operations.ts'
import { Slot } from './slots.ts'

export interface RunOptions {
  place: string
  /** Variables of the processes. */
  env: Variables
  /** Between the processes and the bucket. */
  proxy?: FaultyProxy
  operations: number
  /** Clients begin no operation after this time. */
  seconds: number
  seed: number
  /** Where the history goes. */
  file: string
}

export interface Figures {
  operations: number
  unknown: number
  refused: number
  failedReads: number
  groups: number
  kills: number
  stops: number
  failedStarts: number
}

/** A client that gets no answer for this long has found a fault. */
const PATIENCE_MS = 150_000
const SERVERS = 2
const LIBRARIES = 2

export async function runOnce(options: RunOptions): Promise<Figures> {
  const run = new Run(options)
  try {
    return await run.all()
  } finally {
    await run.end()
  }
}

class Run {
  readonly #options: RunOptions
  readonly #chance: Chance
  readonly #groups: Groups
  readonly #history = new History()
  readonly #users: Slot[]
  readonly #producer: Slot
  readonly #compactor: Slot<ChildActor>
  readonly #command: CommandActor
  readonly #figures = { kills: 0, stops: 0, refused: 0, failedReads: 0 }
  #left: number
  #clients = 0
  #isOver = false

  constructor(options: RunOptions) {
    const { place, env, seed, operations } = options
    this.#options = options
    this.#left = operations
    this.#chance = new Chance(seed)
    this.#groups = new Groups(new Chance(seed + 1))
    const child = (role: 'library' | 'producer' | 'compactor') =>
      new Slot(role, () => ChildActor.start(place, role, env))
    this.#users = [
      ...Array.from({ length: SERVERS }, (_, i) => {
        const args = i === 0 ? [] : ['--no-compaction']
        return new Slot(`server ${i}`, () => ServerActor.start(place, env, args))
      }),
      ...Array.from({ length: LIBRARIES }, () => child('library')),
    ]
    this.#producer = child('producer')
    this.#compactor = child('compactor')
    this.#command = new CommandActor(place, env)
  }

  async all(): Promise<Figures> {
    const slots = [...this.#users, this.#producer, this.#compactor]
    await Promise.all(slots.map((slot) => slot.actor()))
    if (this.#options.proxy) this.#options.proxy.spoils = true
    const untilMs = performance.now() + this.#options.seconds * 1_000
    const clients = Promise.all([
      ...this.#users.flatMap((slot) => [1, 2, 3].map(() => this.#client(slot, 'client', untilMs))),
      ...[1, 2].map(() => this.#client(this.#producer, 'producer', untilMs)),
      this.#commands(untilMs),
    ]).finally(() => (this.#isOver = true))
    await Promise.all([clients, this.#harm(slots), this.#harm(slots), this.#compact()])
    if (this.#options.proxy) this.#options.proxy.spoils = false
    await this.#settle()
    await Promise.all([...this.#users.map((slot) => this.#readAll(slot)), this.#readAll(await this.#fresh())])
    await Promise.all(slots.map((slot) => slot.stop()))
    await this.#history.write(this.#options.file)
    await this.#verify()
    return {
      operations: this.#history.size,
      unknown: this.#history.open,
      ...this.#figures,
      groups: this.#groups.used,
      failedStarts: slots.reduce((sum, { failedStarts }) => sum + failedStarts, 0),
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    const slots: Slot[] = [...this.#users, this.#producer, this.#compactor]
    await Promise.all([...slots.map((slot) => slot.end()), this.#command.kill()])
  }

  async #client(slot: Slot, by: 'client' | 'producer', untilMs: number): Promise<void> {
    const client = this.#clients++
    const chance = new Chance(this.#chance.below(2 ** 32))
    while (this.#left-- > 0 && !this.#isOver && performance.now() < untilMs) {
      const actor = await slot.actor()
      const wasRefused = await this.#perform(client, actor, this.#groups.next(by))
      await sleep(chance.below(wasRefused ? 300 : 15))
    }
  }

  /** The command line reads and produces; between them it folds, collects garbage and is killed. */
  async #commands(untilMs: number): Promise<void> {
    const client = this.#clients++
    const chance = new Chance(this.#chance.below(2 ** 32))
    while (this.#left > 0 && !this.#isOver && performance.now() < untilMs) {
      const roll = chance.next()
      if (roll < 0.8) {
        this.#left--
        await this.#perform(client, this.#command, this.#groups.next(roll < 0.4 ? 'reader' : 'producer'))
      } else {
        // Over a faulty network a command may fail; what it leaves behind must not harm.
        await this.#command.run([roll < 0.9 ? 'compact' : 'gc', 'things']).catch(mayFail)
      }
      await sleep(500 + chance.below(1_500))
    }
  }

  /** @returns whether it was refused */
  async #perform(client: number, actor: Pick<Actor, 'perform'>, operation: Operation): Promise<boolean> {
    const entry = this.#history.called(client, operation, !hasProducers(operation.group))
    try {
      this.#history.returned(entry, await withPatience(actor.perform(operation), operation))
      return false
    } catch (error) {
      this.#notDone(entry, error)
      return true
    }
  }

  /** @throws the error unless the promises allow it */
  #notDone(entry: Entry, error: unknown): void {
    const isRefused = error instanceof Refused && error.kind === 'unavailable'
    if (entry.operation.kind === 'read') {
      if (!isRefused && !(error instanceof Gone)) throw error
      this.#figures.failedReads++
      this.#history.refused(entry)
    } else if (isRefused) {
      this.#figures.refused++
      this.#history.refused(entry)
    } else if (!(error instanceof Gone) && !(error instanceof Refused && error.kind === 'unknown')) throw error
  }

  async #harm(slots: readonly Slot[]): Promise<void> {
    const chance = new Chance(this.#chance.below(2 ** 32))
    while (!this.#isOver) {
      await sleep(100 + chance.below(700))
      if (this.#isOver) return
      const slot = chance.pick(slots)
      const roll = chance.next()
      if (roll < 0.45) {
        if (await slot.kill()) this.#figures.kills++
      } else if (roll < 0.55) {
        if (await this.#command.kill()) this.#figures.kills++
      } else {
        if (await slot.pause(200 + chance.below(1_800))) this.#figures.stops++
      }
    }
  }

  async #compact(): Promise<void> {
    const chance = new Chance(this.#chance.below(2 ** 32))
    while (!this.#isOver) {
      const actor = await this.#compactor.actor()
      await actor.work(chance.next() < 0.7 ? 'compact' : 'collect').catch(mayFail)
      await sleep(chance.below(200))
    }
  }

  /** An entry from a new process. It changes no record. */
  async #settle(): Promise<void> {
    const slot = await this.#fresh()
    try {
      const nobody: Operation = { kind: 'delete', group: -1, members: [0] }
      await (await slot.actor()).perform(nobody)
    } finally {
      await slot.end()
    }
  }

  #fresh(): Promise<Slot> {
    const { place, env } = this.#options
    const slot = new Slot('fresh', () => ChildActor.start(place, 'library', env))
    return slot.actor().then(() => slot)
  }

  async #readAll(slot: Slot): Promise<void> {
    const client = this.#clients++
    const actor = await slot.actor()
    try {
      for (let group = 0; group < this.#groups.used; group++) {
        const read: Operation = { kind: 'read', group, how: 'filter' }
        const entry = this.#history.called(client, read, !hasProducers(group))
        this.#history.returned(entry, await withPatience(actor.perform(read), read))
      }
    } finally {
      if (slot.name === 'fresh') await slot.end()
    }
  }

  async #verify(): Promise<void> {
    const { place, env } = this.#options
    const { code, out, err } = await command(['verify', '--data', place, '--json'], { env }).done
    if (code !== 0) throw new Error(`siltstone verify ended with ${code}: ${out}${err}`)
  }
}

export async function createThings(place: string): Promise<void> {
  const store = await openStore(place, { compaction: 'off' })
  await store.createCollection({ name: 'things', embeddingFunction: null })
  await store.close()
}

/** Others may take over the work of a compactor or collector, and a network may fail. @throws any other error */
function mayFail(error: unknown): void {
  if (error instanceof Gone) return
  if (!(error instanceof Refused) || !['unavailable', 'unknown', 'conflict'].includes(error.kind)) throw error
}

async function withPatience(work: Promise<Output>, operation: Operation): Promise<Output> {
  const ended = new AbortController()
  const tooLate = sleep(PATIENCE_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`no answer after ${PATIENCE_MS} ms: ${JSON.stringify(operation)}`)
  })
  tooLate.catch(() => undefined)
  try {
    return await Promise.race([work, tooLate])
  } finally {
    ended.abort()
  }
}
