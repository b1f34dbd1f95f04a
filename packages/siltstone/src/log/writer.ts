/**
 * Appends to the log of one collection. A writer that meets others hands its groups over (`handover.ts`).
 *
 * ## An append
 * Writes that arrive together form a group; each process has one group of a collection in flight. Then:
 * 1. The group is sealed. If the knowledge of the log's end is too old, the pointer is read and the log is listed.
 * 2. The inbox is listed (after 1), and the deltas that no entry mentions yet are read: the new entry takes them
 *    before the group's own records (`take-inbox.ts`). If there are more than one entry may sequence, entries of their own sequence them
 *    first, so that nothing that was in the inbox comes after the group.
 * 3. Each request is evaluated at exactly that state plus the requests before it in the group.
 * 4. The entry is created if absent, at the number after the last one read.
 *
 * ## Outcomes
 * - Created: the group is acknowledged with the entry's number, and what the entry took is deleted from the inbox.
 * - Exists (412): the existing entry is read. If it has our id, an earlier attempt of ours succeeded and its answer was
 *   lost: the group is acknowledged. If not, the race is lost: the new entries are read, and the group is handed over,
 *   or, if it depends on the state, evaluated again for the next number once its turn has come.
 * - No clear answer (timeout, 409, 5xx): the same bytes are put at the same number until one of the two answers above
 *   comes. Going on to the next number while the outcome is open could apply the group twice. An outcome that stays
 *   open is reported as `outcome-unknown`; the next group lists the log before it puts.
 * - Created or exists, but answered so late that the knowledge of the end expired, or gone when we look: the number may
 *   have been used, folded and collected in the meantime, by us or by another process. The manifest's record of folded
 *   entries decides. Below the watermark, our entry counts only if the record has its id; otherwise it is a stray,
 *   which every reader ignores. Without a record, the outcome is unknown.
 *
 * A request that evaluates to nothing, or to an error, is not proven current by a create-if-absent. It is answered only
 * after a new look at the log has found nothing new. If its entry takes something from the inbox, or an earlier request
 * of its group writes, that may be the reason, and reads may not show it yet: then the entry answers it.
 */
import { isPassing, isSiltstoneError, unavailable } from '../errors.ts'
import { encodeEntry, type LogEntry } from '../format/entry.ts'
import type { RecordOp } from '../model/record.ts'
import { backPressure } from './back-pressure.ts'
import type { CollectionState, Locked } from './collection-state.ts'
import { Contention, type Turn } from './contention.ts'
import { handOver } from './handover.ts'
import { EntryPuts, type PutOutcome } from './put-entry.ts'
import { stampNow } from './stamp.ts'
import { clearInbox } from './take-inbox.ts'
import {
  answer,
  type AppendOptions,
  type Appended,
  type Evaluate,
  evaluateGroup,
  type Evaluation,
  type Request,
} from './request-group.ts'
import { StateMoved, WriteBatch } from './write-batch.ts'

const LOST_RACES = 200
/**
 * In a collection without bare producers, the inbox is looked at before every eighth entry at least, the first included:
 * a process that was killed may have handed over what its user now writes again.
 */
const INBOX_EVERY = 8

export type { EvaluationState } from './write-batch.ts'
export type { AppendOptions, Appended, Evaluate } from './request-group.ts'

export class LogWriter {
  readonly #state: CollectionState
  readonly #name: string
  readonly #onAppended: (version: number) => void
  #waiting: Request[] = []
  #pumping: Promise<void> | undefined
  readonly #contention: Contention
  readonly #puts: EntryPuts
  /** Number of the last entry that this writer knew. */
  #lastEnd = 0
  #begun = 0
  /** Deletions from the inbox; it does not fail. */
  #clearing: Promise<unknown> = Promise.resolve()

  /**
   * @param name of this writer, for the entry's `writer` field
   * @param onAppended called after each acknowledged append (the wake-up call)
   */
  constructor(state: CollectionState, name: string, onAppended: (version: number) => void) {
    this.#state = state
    this.#name = name
    this.#onAppended = onAppended
    this.#contention = new Contention(state.env.clock, state.env.random)
    this.#puts = new EntryPuts(state, this.#contention)
  }

  /**
   * Appends what `evaluate` makes of the state at its place in the log. It may be called more than once.
   * @throws SiltstoneError what `evaluate` throws; `unavailable` (back-pressure, with `retryAfterMs`), `unknown`
   *   (outcome-unknown), `not-found` (deleted)
   */
  append<T>(evaluate: Evaluate<T>, options: AppendOptions): Promise<Appended<T>> {
    return new Promise<Appended<T>>((resolve, reject) => {
      this.#waiting.push({ ...options, evaluate, resolve: resolve as Request['resolve'], reject })
      this.#pumping ??= this.#pump()
    })
  }

  /** Appends an entry that only sequences the deltas in the inbox; no entry when the inbox is empty. */
  async sequenceInbox(): Promise<void> {
    await this.append(() => ({ records: [], result: null }), { sizeBytes: 0, onlySequences: true })
    await this.#clearing
  }

  /** Resolves when no write is in flight. */
  async idle(): Promise<void> {
    while (this.#pumping) await this.#pumping
    await this.#clearing
  }

  /** Deletes what an entry has taken. Writes do not wait for it. */
  #clear({ sequenced, versions }: WriteBatch): void {
    const keys = sequenced.map(({ key }) => key)
    const clearing = clearInbox(this.#state.env, keys, versions)
    this.#clearing = Promise.all([this.#clearing, clearing])
  }

  async #pump(): Promise<void> {
    // Let writes of the same turn of the event loop join the first group.
    await Promise.resolve()
    try {
      while (this.#waiting.length > 0) {
        const group = this.#takeGroup()
        try {
          await this.#commit(group)
        } catch (error) {
          for (const request of group) request.reject(error)
        }
      }
    } finally {
      this.#pumping = undefined
    }
  }

  #takeGroup(): Request[] {
    let bytes = 0
    let count = 0
    for (const request of this.#waiting) {
      if (count > 0 && bytes + request.sizeBytes > this.#state.limits.groupBytes) break
      bytes += request.sizeBytes
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #commit(group: Request[]): Promise<void> {
    const turn = this.#contention.takeTurn()
    if (turn) await this.#awaitTurn(turn, this.#contention.putMs)
    else if (this.#contention.isContended && (await this.#handOver(group))) return
    await this.#race(group)
  }

  /** @returns false when the group is to be appended by this writer itself */
  async #handOver(group: readonly Request[]): Promise<boolean> {
    const state = this.#state
    const contention = this.#contention
    // What only sequences the inbox is done by any entry.
    if (!group.some(({ sizeBytes }) => sizeBytes > 0)) return false
    if (await state.run(async ({ log }) => backPressure(log, [], state))) return false
    const records = group.every((request) => request.records !== undefined)
      ? group.flatMap((request) => request.records as readonly RecordOp[])
      : undefined
    const combine = () => this.#race([], true)
    let seen: Awaited<ReturnType<typeof handOver>>
    try {
      seen = await handOver({ state, name: this.#name, contention, combine }, records ?? [])
    } catch (error) {
      const isTicket = records === undefined
      if (isSiltstoneError(error, 'invalid') || (isTicket && isPassing(error))) return false
      throw error
    }
    contention.meet()
    const { entry, mention } = seen
    contention.offer(entry.number, entry.turns ?? [], this.#name)
    if (records && mention.refused === undefined) {
      for (const request of group) request.resolve({ version: entry.number, result: null })
      return true
    }
    const turn = contention.takeTurn()
    if (turn) await this.#awaitTurn(turn, 0)
    return false
  }

  /** Waits until it is this writer's turn, for a bounded time, and then for a pause in which others can hand over. */
  async #awaitTurn({ number, untilMs }: Turn, pauseMs: number): Promise<void> {
    const { clock } = this.#state.env
    for (let looks = 0; clock.monotonicMs() < untilMs; looks++) {
      const end = await this.#state.run(async ({ log }) => {
        if (log.end < number - 1) await log.follow()
        return log.end
      })
      if (end >= number - 1) break
      await clock.sleep(this.#contention.pauseMs(looks))
    }
    if (pauseMs > 0) await clock.sleep(pauseMs)
  }

  /**
   * Appends the group, for the next number and the next until it wins one or hands the group over.
   * @param once give up after a lost race: the winner does what was to be done
   */
  async #race(group: Request[], once = false): Promise<void> {
    const state = this.#state
    const { clock, ids, metrics } = state.env
    let pending = group
    for (let race = 0; race < LOST_RACES; race++) {
      const evaluated = await this.#evaluate(pending)
      if (evaluated === 'moved') continue
      const { batch, records, control, written, settled, dependent } = evaluated
      if (settled.length > 0 && !(await this.#isStillCurrent(batch))) continue
      for (const { request, outcome } of settled) answer(request, outcome, batch.version)
      const answered = new Set(settled.map(({ request }) => request))
      pending = pending.filter((request) => !answered.has(request))
      if (pending.length === 0 && batch.sequenced.length === 0) return
      const entry: LogEntry = {
        id: ids.ulid(),
        number: batch.version + 1,
        collection: state.path,
        createdAtMs: clock.nowMs(),
        writer: this.#name,
        sequenced: batch.sequenced,
        records,
        control,
        ...(batch.turns.length > 0 && { turns: [...batch.turns] }),
      }
      // step: entry-is-encoded
      const bytes = encodeEntry(entry)
      // step: put-needs-knowledge
      if (this.#puts.isExpired(batch.knowledge)) continue
      const sent = stampNow(clock)
      let outcome: PutOutcome
      try {
        outcome = await this.#puts.put(entry, bytes, batch.knowledge, sent)
      } catch (error) {
        // step: unknown-end-is-forgotten
        await state.run(async ({ log }) => log.forgetEnd())
        throw error
      }
      if (outcome === 'lost') {
        metrics.count('log_races_lost')
        this.#contention.meet()
        await state.run(({ log }) => log.sync())
        if (once) return
        // The winner of the second race had listed the inbox after this writer had.
        if (race > 0 && pending.length > 0 && pending.every(({ onlySequences }) => onlySequences)) {
          const version = await state.run(async ({ log }) => log.end)
          for (const request of pending) request.resolve({ version, result: null })
          return
        }
        if (await this.#handOver(pending)) return
        continue
      }
      this.#won(entry)
      this.#clear(batch)
      await state.run(({ log }) => log.appended(entry, bytes, sent))
      metrics.count('log_entries_appended')
      metrics.count('log_bytes_appended', bytes.length)
      this.#onAppended(entry.number)
      for (const { request, result } of written) request.resolve({ version: entry.number, result })
      for (const { request, outcome } of dependent) answer(request, outcome, entry.number)
      if (!batch.isPartial) return
      // This was no lost race: the rest of the inbox comes next.
      race--
    }
    throw unavailable(
      'too-many-writers',
      `${LOST_RACES} attempts to append to ${state.path} lost against other writers; retry`,
      { retryAfterMs: 1_000 },
    )
  }

  #won({ number, turns = [] }: LogEntry): void {
    this.#lastEnd = number
    if (turns.some((name) => name !== this.#name)) this.#contention.meet()
    else this.#contention.alone()
  }

  /** Steps 1 to 3. `moved`: the log moved or the snapshot below was collected in the meantime; try again. */
  async #evaluate(group: readonly Request[]): Promise<(Evaluation & { batch: WriteBatch }) | 'moved'> {
    let batch: WriteBatch
    try {
      batch = await this.#state.runWithRetry((locked) => this.#begin(group, locked))
    } catch (error) {
      if (error instanceof StateMoved) return 'moved'
      throw error
    }
    try {
      return { batch, ...(await evaluateGroup(batch.isPartial ? [] : group, batch)) }
    } catch (error) {
      if (error instanceof StateMoved) return 'moved'
      if (await this.#state.run(({ log }) => log.snapshotWasCollected(error, batch.manifestKey))) return 'moved'
      throw error
    }
  }

  /** Steps 1 and 2. */
  async #begin(group: readonly Request[], locked: Locked): Promise<WriteBatch> {
    const { log } = locked
    // step: old-knowledge-is-renewed
    if (!log.knowsEnd) await log.sync()
    log.requireOpen()
    if (log.end > this.#lastEnd && this.#lastEnd > 0) this.#contention.suspect()
    this.#lastEnd = log.end
    const always = this.#contention.isSuspected || this.#begun++ % INBOX_EVERY === 0
    // step: inbox-after-the-end
    let inbox = await log.listInbox(always)
    const isUserWrite = group.some((request) => request.sizeBytes > 0)
    if (isUserWrite && backPressure(log, inbox, this.#state)) {
      // Our knowledge may be old: usually another process folds the log.
      await log.syncOpen()
      inbox = await log.listInbox(always)
      const refusal = backPressure(log, inbox, this.#state)
      if (refusal) {
        this.#state.env.metrics.count('log_back_pressure')
        throw refusal
      }
    }
    return WriteBatch.begin(this.#state, locked, inbox)
  }

  async #isStillCurrent(batch: WriteBatch): Promise<boolean> {
    return this.#state.run(async ({ log }) => {
      if (log.end !== batch.version) return false
      // The log was listed since the group was sealed: nothing can have come before the group unseen.
      if (log.knowledge && log.knowledge.monotonicMs >= batch.sealed.monotonicMs) return true
      await log.sync()
      return log.end === batch.version
    })
  }
}
