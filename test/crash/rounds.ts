/**
 * Rounds of kill -9 on one directory: a server, a user of the library with its compaction thread, one whose clock is
 * set back, a bare producer, a compactor with a garbage collector, and the command line, all at once. A round lets them
 * work, kills one (or all, or stops one for longer than its lease, sets clocks back, copies the directory), waits until
 * the others have finished their operations, and compares the records that a fresh process and each surviving one read
 * with the acknowledged ones. What a killed process had handed over takes effect with the next entry, so the check reads
 * once, appends an entry, and reads again: the first time each unacknowledged operation must be seen whole or not at all,
 * the second time it is settled.
 *
 * With `stops` no process is killed: one or more are stopped (SIGSTOP) for `stops` ms in each round, longer than leases
 * last and than knowledge of the log is valid, and with `brisk` limits longer than entries are kept.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Chance } from '../processes/chance.ts'
import { command, Gone, KILLED, Refused } from '../processes/process.ts'
import { type Actor, ChildActor, ServerActor } from './actors.ts'
import type { Role } from './participant.ts'
import { apply, type Operation, randomOperation, type Record, type State, textOf } from './writer-model.ts'
import { appendEntry, backUp, readFresh } from './store.ts'

export class Violation extends Error {}

export type Kind = 'server' | 'library' | 'skewed' | 'producer' | 'compactor'
export const KINDS: readonly Kind[] = ['server', 'library', 'skewed', 'producer', 'compactor']
/** Two clients of the server, so that their writes share log entries. */
const WRITERS: readonly [string, Kind][] = [
  ['s1', 'server'],
  ['s2', 'server'],
  ['l1', 'library'],
  ['k1', 'skewed'],
  ['p1', 'producer'],
]

/**
 * With `brisk` limits, a process that is stopped for longer than this may find that what it handed over, and the
 * entry that tells of it, are no longer remembered. It must say then that it does not know.
 */
const BRISK_MEMORY_MS = 1_500

/** Refusals that a writer may get while another process is stopped or behind. Nothing was done. */
const FOR_NOW: ReadonlySet<string> = new Set(['back-pressure', 'store-locked'])

interface Writer {
  name: string
  kind: Kind
  state: State
  /** The operation during which its process was killed. */
  pending: Operation | undefined
  /** The state after the pending operation. */
  next: State | undefined
  /** All states since a backup began. */
  seen: string[] | undefined
}

export interface Figures {
  rounds: number
  kills: { [what: string]: number }
  stops: number
  clockSteps: number
  backups: number
  /** Collections that a backup copied more than once. */
  copiedAgain: number
  operations: number
  refusedForNow: number
  /** Operations whose process was killed, or forgot, before it answered. `noTrace`: those that would have changed nothing. */
  unacknowledged: { applied: number; absent: number; noTrace: number }
  verified: number
  records: number
}

export interface RoundsOptions {
  directory: string
  seed: number
  rounds: number
  /** No new round begins after this time, except the first. */
  untilMs: number
  /** The processes that take part. Default: all. */
  kinds?: readonly Kind[]
  /** Limits of the log so short that entries are folded and deleted within seconds. Not for servers. */
  brisk?: boolean
  /** Stop processes for this time (ms, least and most) instead of killing them. */
  stops?: readonly [number, number]
  /** Longest pause between two operations of a writer. Default 25 ms. */
  pauseMs?: number
  say: (line: string) => void
}

export async function runRounds(options: RoundsOptions): Promise<Figures> {
  const run = new Run(options)
  try {
    await run.all()
  } catch (error) {
    options.say(`until then: ${JSON.stringify(run.figures)}`)
    throw error
  } finally {
    await run.end()
  }
  return run.figures
}

class Run {
  readonly figures: Figures = {
    rounds: 0,
    kills: {},
    stops: 0,
    clockSteps: 0,
    backups: 0,
    copiedAgain: 0,
    operations: 0,
    refusedForNow: 0,
    unacknowledged: { applied: 0, absent: 0, noTrace: 0 },
    verified: 0,
    records: 0,
  }
  readonly #options: RoundsOptions
  readonly #chance: Chance
  readonly #actors = new Map<Kind, Actor>()
  readonly #kinds: readonly Kind[]
  readonly #writers: Writer[]
  #paused = false
  /** The recent duration of an operation of the slowest writer. */
  #slowMs = 0
  #stamp = 0
  /** Killed on purpose in this round. */
  #victims = new Set<Kind>()
  /** Stopped in this round for longer than mentions are remembered. */
  #forgetful = new Set<Kind>()

  constructor(options: RoundsOptions) {
    this.#options = options
    this.#chance = new Chance(options.seed)
    const kinds = options.kinds ?? KINDS
    this.#kinds = kinds
    this.#writers = WRITERS.filter(([, kind]) => kinds.includes(kind)).map(([name, kind]) => ({
      name,
      kind,
      state: new Map(),
      pending: undefined,
      next: undefined,
      seen: undefined,
    }))
  }

  async all(): Promise<void> {
    const { rounds, untilMs, say } = this.#options
    while (this.figures.rounds < rounds && (this.figures.rounds === 0 || performance.now() < untilMs)) {
      this.figures.rounds++
      await this.#round()
      if (this.figures.rounds % 25 === 0) say(JSON.stringify(this.figures))
    }
    for (const actor of this.#actors.values()) await actor.stop()
    this.#actors.clear()
    await this.#check(true)
    const { code, out, err } = await command(['verify', '--data', this.#options.directory, '--json']).done
    if (code !== 0) throw new Violation(`siltstone verify ended with ${code}: ${out}${err}`)
  }

  async end(): Promise<void> {
    await Promise.all([...this.#actors.values()].map((actor) => actor.kill()))
  }

  async #round(): Promise<void> {
    const chance = this.#chance
    await Promise.all(this.#kinds.map((kind) => this.#ensure(kind)))
    this.#victims = new Set()
    this.#forgetful = new Set()
    this.#paused = false
    const work = Promise.all([...this.#writers.map((writer) => this.#write(writer)), this.#compact()])
    const harm = async () => {
      await sleep(20 + chance.below(400))
      await (this.#options.stops ? this.#stopSome(this.#options.stops) : this.#harm())
      this.#paused = true
    }
    await Promise.all([work, harm()])
    await this.#check(this.figures.rounds % 20 === 0)
  }

  async #harm(): Promise<void> {
    const chance = this.#chance
    const roll = chance.next()
    if (roll < 0.03) await this.#stop(['compactor'], 1_200, 2_500)
    else if (roll < 0.05) await this.#stop([chance.pick(this.#kinds)], 500, 2_500)
    else if (roll < 0.1) await this.#stepClock()
    else if (roll < 0.13) await this.#backUp()
    else if (roll < 0.19) await this.#killCommand()
    else if (roll < 0.23) await this.#kill(...this.#kinds)
    else await this.#kill(chance.pick(this.#kinds))
  }

  async #ensure(kind: Kind): Promise<void> {
    if (this.#actors.has(kind)) return
    const { directory, brisk = false } = this.#options
    const start = () => ChildActor.start(directory, kind as Role, brisk)
    // Half of the servers do not compact.
    const serve = () => ServerActor.start(directory, ...(this.#chance.next() < 0.5 ? ['--no-compaction'] : []))
    this.#actors.set(kind, kind === 'server' ? await serve() : await start())
  }

  async #kill(...kinds: Kind[]): Promise<void> {
    const what = kinds.length === 1 ? (kinds[0] as Kind) : 'all'
    this.figures.kills[what] = (this.figures.kills[what] ?? 0) + 1
    for (const kind of kinds) this.#victims.add(kind)
    await Promise.all(kinds.map(async (kind) => this.#actors.get(kind)?.kill()))
    for (const kind of kinds) this.#actors.delete(kind)
  }

  async #killCommand(): Promise<void> {
    const chance = this.#chance
    const name = chance.pick(['compact', 'gc', 'verify', 'repair'])
    const { process, done } = command([name, 'things', '--data', this.#options.directory, '--json'])
    // Half of them end before they are killed.
    await Promise.race([sleep(chance.below(1_500)), done])
    await process.kill()
    const { code, out, err } = await done
    if (code !== null && code !== 0) throw new Violation(`siltstone ${name} ended with ${code}: ${out}${err}`)
    const what = code === null ? `command ${name}` : `(command ${name} ended)`
    this.figures.kills[what] = (this.figures.kills[what] ?? 0) + 1
  }

  /** Stops a process for several times the duration of its lease, so that others take over. */
  async #stop(kinds: readonly Kind[], leastMs: number, mostMs: number): Promise<void> {
    const pids = kinds.map((kind) => this.#actors.get(kind)?.pid ?? 0).filter((pid) => pid !== 0)
    this.figures.stops += pids.length
    const stoppedMs = performance.now()
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      await sleep(leastMs + this.#chance.below(mostMs - leastMs))
    } finally {
      if (this.#options.brisk && performance.now() - stoppedMs > BRISK_MEMORY_MS)
        for (const kind of kinds) this.#forgetful.add(kind)
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await sleep(200)
  }

  async #stopSome([leastMs, mostMs]: readonly [number, number]): Promise<void> {
    const stopped = this.#kinds.filter(() => this.#chance.next() < 0.4)
    await this.#stop(stopped.length > 0 ? stopped : [this.#chance.pick(this.#kinds)], leastMs, mostMs)
  }

  async #stepClock(): Promise<void> {
    this.figures.clockSteps++
    const offsetMs = -this.#chance.pick([0, 1_000, 60_000, 3_600_000, 86_400_000])
    for (const kind of ['skewed', 'compactor'] as const)
      if (this.#chance.next() < 0.6) await (this.#actors.get(kind) as ChildActor).ask({ do: 'set-clock', offsetMs })
    await sleep(300)
  }

  async #backUp(): Promise<void> {
    const { directory } = this.#options
    const copy = `${directory}-backup`
    for (const writer of this.#writers)
      writer.seen = [writer.state, ...(writer.next ? [writer.next] : [])].map((state) => textOf(state))
    this.figures.backups++
    this.figures.copiedAgain += await backUp(directory, copy)
    const { records, problems } = await readFresh(copy, true)
    if (problems.length > 0) throw new Violation(`the backup is damaged: ${problems.join('; ')}`)
    for (const writer of this.#writers) {
      const text = textOf(new Map(records.filter(([id]) => id.startsWith(`${writer.name}-`))))
      if (!writer.seen?.includes(text))
        throw new Violation(`the backup shows ${writer.name} as it was not since it began: ${text}`)
      writer.seen = undefined
    }
    rmSync(copy, { recursive: true })
  }

  async #write(writer: Writer): Promise<void> {
    const actor = this.#actors.get(writer.kind)
    const chance = new Chance(this.#chance.below(2 ** 32))
    while (!this.#paused && actor) {
      const operation = randomOperation(writer.name, ++this.#stamp, chance)
      if (writer.kind === 'producer' && operation.kind === 'delete-where') continue
      const { state, deleted } = apply(writer.state, operation)
      // A write may be visible before it is acknowledged.
      writer.next = state
      writer.seen?.push(textOf(state))
      const startedMs = performance.now()
      try {
        const answer = await actor.perform(operation)
        if (operation.kind === 'delete-where' && answer.deleted !== deleted)
          throw new Violation(`${writer.name}: ${JSON.stringify(operation)} deleted ${answer.deleted}, not ${deleted}`)
        writer.state = state
        this.figures.operations++
      } catch (error) {
        if (error instanceof Gone && this.#isKilled(writer.kind, error)) {
          writer.pending = operation
          return
        }
        if (error instanceof Refused && error.code === 'outcome-unknown' && this.#forgetful.has(writer.kind)) {
          writer.pending = operation
          return
        }
        if (!(error instanceof Refused) || !FOR_NOW.has(error.code))
          throw new Violation(`${writer.name}: ${JSON.stringify(operation)}: ${String(error)}`, { cause: error })
        this.figures.refusedForNow++
        await sleep(200)
      }
      // A slow writer loses each race against a fast one, so on a busy machine all writers slow down.
      this.#slowMs = Math.max(performance.now() - startedMs, this.#slowMs * 0.9)
      await sleep(chance.below(Math.max(this.#options.pauseMs ?? 25, this.#slowMs / 2)))
    }
  }

  async #compact(): Promise<void> {
    const actor = this.#actors.get('compactor') as ChildActor
    const chance = new Chance(this.#chance.below(2 ** 32))
    while (!this.#paused) {
      try {
        await actor.ask({ do: chance.next() < 0.7 ? 'compact' : 'collect' })
      } catch (error) {
        if (error instanceof Gone && this.#isKilled('compactor', error)) return
        // Another compactor took over while this one was stopped, and it must say so.
        if (!(error instanceof Refused) || (error.code !== 'lease-lost' && !FOR_NOW.has(error.code)))
          throw new Violation(`compactor: ${String(error)}`, { cause: error })
      }
      await sleep(chance.below(60))
    }
  }

  /** Killed by this test, or by the machine when it is short of memory. Both are crashes. */
  #isKilled(kind: Kind, { message }: Gone): boolean {
    if (this.#victims.has(kind)) return true
    if (!message.includes(KILLED)) return false
    this.figures.kills['by others'] = (this.figures.kills['by others'] ?? 0) + 1
    this.#victims.add(kind)
    this.#actors.delete(kind)
    return true
  }

  /** Checks that a fresh process and each running one read the acknowledged records. */
  async #check(verify: boolean): Promise<void> {
    const fresh = await readFresh(this.#options.directory, verify)
    if (verify) this.figures.verified++
    if (fresh.problems.length > 0) throw new Violation(`verify: ${fresh.problems.join('; ')}`)
    if (fresh.count !== fresh.records.length)
      throw new Violation(`count is ${fresh.count}, get gives ${fresh.records.length} records`)
    this.figures.records = fresh.records.length
    let settled = fresh.records
    if (this.#writers.some(({ pending }) => pending)) {
      for (const writer of this.#writers) this.#mayRead(writer, fresh.records)
      await appendEntry(this.#options.directory)
      settled = (await readFresh(this.#options.directory, false)).records
    }
    for (const writer of this.#writers) this.#settle(writer, settled)
    const readers = [...this.#actors.values()].filter(({ name }) => name !== 'compactor')
    // Not all of them each time, because most of a round would be reading.
    const asked = verify || this.figures.rounds % 5 === 0 ? readers : readers.slice(0, 1)
    for (const actor of asked) {
      const records = await actor.records()
      for (const writer of this.#writers) this.#compare(writer, records, actor.name)
    }
    const known = new Set(this.#writers.flatMap(({ state }) => [...state.keys()]))
    const foreign = settled.filter(([id]) => !known.has(id))
    if (foreign.length > 0)
      throw new Violation(`records that were never written: ${JSON.stringify(foreign.slice(0, 3))}`)
  }

  /** An operation that shows its effect keeps it: it is settled at once. */
  #mayRead(writer: Writer, records: readonly [string, Record][]): void {
    if (!writer.pending) return this.#compare(writer, records, 'a fresh process')
    const after = apply(writer.state, writer.pending).state
    const mine = ownText(writer, records)
    if (mine === textOf(writer.state)) return
    this.#settle(writer, records)
    if (mine !== textOf(after)) throw new Violation(`${writer.name} shows half of ${JSON.stringify(writer.pending)}`)
  }

  #settle(writer: Writer, records: readonly [string, Record][]): void {
    const { pending } = writer
    if (pending) {
      writer.pending = undefined
      const mine = ownText(writer, records)
      const after = apply(writer.state, pending).state
      const [before, done] = [textOf(writer.state), textOf(after)]
      if (before === done) this.figures.unacknowledged.noTrace++
      else if (mine === done) {
        this.figures.unacknowledged.applied++
        writer.state = after
      } else this.figures.unacknowledged.absent++
    }
    this.#compare(writer, records, 'a fresh process')
  }

  #compare(writer: Writer, records: readonly [string, Record][], who: string): void {
    const [is, shall] = [ownText(writer, records), textOf(writer.state)]
    if (is === shall) return
    let at = 0
    while (is[at] === shall[at]) at++
    const part = (text: string) => text.slice(Math.max(0, at - 100), at + 200)
    throw new Violation(`${who} reads of ${writer.name} …${part(is)}… and not …${part(shall)}…`)
  }
}

function ownText(writer: Writer, records: readonly [string, Record][]): string {
  const mine = records.filter(([id]) => id.startsWith(`${writer.name}-`))
  if (new Set(mine.map(([id]) => id)).size !== mine.length) throw new Violation(`${writer.name} has an id twice`)
  return textOf(new Map(mine))
}
