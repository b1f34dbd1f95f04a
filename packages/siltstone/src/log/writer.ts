/**
 * Appends to the log of one collection.
 *
 * ## An append
 * Writes that arrive together form a group; one group of a collection is in flight per process. Then:
 * 1. The group is sealed. If knowledge of the log's end is too old, the pointer is read and the log listed.
 * 2. The inbox is listed (after 1) and what no entry mentions yet is fetched and parsed: the new entry sequences it,
 *    before the group's own records. What is more than one entry may sequence is sequenced by entries of its own first:
 *    nothing that was in the inbox comes behind the group.
 * 3. Every request is evaluated at exactly that state plus the requests before it in the group.
 * 4. The entry is created if absent at the number after the last one read.
 *
 * ## Outcomes
 * - Created: the group is acknowledged with the entry's number.
 * - Exists (412): we read what is there. Our own id: a try of ours whose answer was lost; acknowledged. Another's: the
 *   race is lost; read it and what follows, list the inbox again, evaluate everything again, try the next number.
 * - No clear answer (timeout, 409, 5xx): the same bytes are put at the same number again until one of the two answers
 *   above comes. Moving to the next number with the outcome open could apply the group twice. What stays open is
 *   reported as `outcome-unknown`; the next group lists before it puts.
 * - Created or exists, but seen so late that knowledge expired, or gone when we look: the number may have been used,
 *   folded and collected meanwhile, by us or another. The manifest's record of folded entries settles it: below the
 *   watermark our entry counts only if the record has its id; a stray is ignored by everyone, and with no record left
 *   the outcome is unknown.
 *
 * A request that evaluates to nothing, or to an error, is not proven current by a create-if-absent, so it is answered
 * only after a fresh look at the log found nothing new. One that does so because of what an earlier request of its
 * group writes waits for the group's entry.
 */
import { isPassing, isSiltstoneError, outcomeUnknown, unavailable } from '../errors.ts'
import { decodeEntry, type EntryControl, encodeEntry, type LogEntry, type SequencedDelta } from '../format/entry.ts'
import { inboxKey, logEntryKey } from '../format/keys.ts'
import { emptyManifest } from '../format/manifest.ts'
import type { RecordOp } from '../model/record.ts'
import { isMissing } from '../snapshot/manifest-store.ts'
import { dimensionClash } from './applied-log.ts'
import type { CollectionState, Stamp } from './collection-state.ts'
import { backlogOf, tooFarBehind } from './back-pressure.ts'
import { Draft, type EvaluationState, type Sequencing, StateMoved } from './draft.ts'
import { recordedId } from './folded-record.ts'
import type { LogOverlay } from './log-overlay.ts'
import type { InboxObject } from './listing.ts'

const LOST_RACES = 200

export interface Evaluated<T> {
  records: readonly RecordOp[]
  control?: EntryControl
  result: T
}

export type { EvaluationState } from './draft.ts'

export type Evaluate<T> = (state: EvaluationState) => Evaluated<T> | Promise<Evaluated<T>>

export interface Appended<T> {
  version: number
  result: T
}

interface Request {
  evaluate: Evaluate<unknown>
  sizeBytes: number
  resolve(answer: Appended<unknown>): void
  reject(error: unknown): void
}

/** Its error is final, or it has nothing to write: true only of a state that is still current. */
interface Settled {
  request: Request
  outcome: { error: unknown } | { result: unknown }
}

type PutOutcome = 'ours' | 'lost'

export class LogWriter {
  readonly #state: CollectionState
  readonly #name: string
  readonly #onAppended: (version: number) => void
  #waiting: Request[] = []
  #pumping: Promise<void> | undefined

  /**
   * @param name who writes, for the entry's `writer` field
   * @param onAppended called after each acknowledged append (the wake-up call)
   */
  constructor(state: CollectionState, name: string, onAppended: (version: number) => void) {
    this.#state = state
    this.#name = name
    this.#onAppended = onAppended
  }

  /**
   * Appends what `evaluate` makes of the state at its place in the log. It may be called more than once.
   * @param sizeBytes rough size of its records, for grouping and back-pressure
   * @throws SiltstoneError what `evaluate` throws; `unavailable` (back-pressure, with `retryAfterMs`), `unknown` (outcome-unknown), `not-found` (deleted)
   */
  append<T>(evaluate: Evaluate<T>, sizeBytes: number): Promise<Appended<T>> {
    return new Promise<Appended<T>>((resolve, reject) => {
      this.#waiting.push({ evaluate, sizeBytes, resolve: resolve as Request['resolve'], reject })
      this.#pumping ??= this.#pump()
    })
  }

  /** Appends an entry that only sequences what lies in the inbox; nothing when the inbox is empty. */
  async sequenceInbox(): Promise<void> {
    await this.append(() => ({ records: [], result: null }), 0)
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    while (this.#pumping) await this.#pumping
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
    const state = this.#state
    let pending = group
    for (let race = 0; race < LOST_RACES; race++) {
      const evaluated = await this.#evaluate(pending)
      if (evaluated === 'moved') continue
      const { draft, records, control, written, settled, dependent } = evaluated
      if (settled.length > 0 && !(await this.#stillCurrent(draft))) continue
      for (const { request, outcome } of settled) answer(request, outcome, draft.version)
      const answered = new Set(settled.map(({ request }) => request))
      pending = pending.filter((request) => !answered.has(request))
      if (pending.length === 0 && draft.sequenced.length === 0) return
      const entry: LogEntry = {
        id: state.env.ids.ulid(),
        number: draft.version + 1,
        collection: state.path,
        createdAtMs: state.env.clock.nowMs(),
        writer: this.#name,
        sequenced: draft.sequenced,
        records,
        control,
      }
      const bytes = encodeEntry(entry)
      if (!state.knowledge || state.ageMs(state.knowledge) > state.limits.writerStalenessMs) continue
      const sent = state.stamp()
      let outcome: PutOutcome
      try {
        outcome = await this.#put(entry, bytes, draft.knowledge, sent)
      } catch (error) {
        await state.run(async () => state.forgetEnd())
        throw error
      }
      if (outcome === 'lost') {
        state.env.metrics.count('log_races_lost')
        await state.run(() => state.sync({ inbox: state.takesInbox }))
        continue
      }
      await state.run(() => state.appended(entry, bytes.length, sent))
      state.env.metrics.count('log_entries_appended')
      state.env.metrics.count('log_bytes_appended', bytes.length)
      this.#onAppended(entry.number)
      for (const { request, result } of written) request.resolve({ version: entry.number, result })
      for (const { request, outcome } of dependent) answer(request, outcome, entry.number)
      if (!draft.isPartial) return
      // Not a race that was lost.
      race--
    }
    throw unavailable(
      'too-many-writers',
      `${LOST_RACES} attempts to append to ${state.path} lost against other writers; retry`,
      { retryAfterMs: 1_000 },
    )
  }

  /** Steps 1 to 3. `moved`: the state did, or the snapshot below it was collected while we stalled; do it again. */
  async #evaluate(group: readonly Request[]): Promise<(Evaluation & { draft: Draft }) | 'moved'> {
    const state = this.#state
    const draft = await state.standing(() => this.#prepare(group))
    try {
      return { draft, ...(await evaluateGroup(draft.isPartial ? [] : group, draft)) }
    } catch (error) {
      if (error instanceof StateMoved) return 'moved'
      if (await state.run(() => state.overtaken(error, draft.manifestKey))) return 'moved'
      throw error
    }
  }

  /** Steps 1 and 2. */
  async #prepare(group: readonly Request[]): Promise<Draft> {
    const state = this.#state
    if (!state.knowledge || state.ageMs(state.knowledge) > state.limits.writerStalenessMs)
      await state.sync({ inbox: state.takesInbox })
    if (state.closed) throw state.missing()
    let inbox = await this.#unsequenced()
    const isUserWrite = group.some((request) => request.sizeBytes > 0)
    if (isUserWrite && backlogOf(state, inbox)) {
      // What we know may be old: the log is usually folded by another process.
      await state.sync({ inbox: state.takesInbox })
      if (state.closed) throw state.missing()
      inbox = await this.#unsequenced()
      const backlog = backlogOf(state, inbox)
      if (backlog) throw tooFarBehind(state, backlog)
    }
    return new Draft(state, await this.#sequence(inbox))
  }

  async #unsequenced(): Promise<InboxObject[]> {
    return this.#state.takesInbox ? this.#state.unsequenced() : []
  }

  /** Takes what one entry may sequence, in ULID order, and applies it to a copy of the state. */
  async #sequence(inbox: readonly InboxObject[]): Promise<Sequencing> {
    const state = this.#state
    const sequenced: SequencedDelta[] = []
    let overlay: LogOverlay | undefined
    let bytes = 0
    let isPartial = false
    for (const object of inbox) {
      const counted = Math.min(object.sizeBytes, state.limits.deltaBytes)
      if (
        sequenced.length >= state.limits.sequencedDeltas ||
        (sequenced.length > 0 && bytes + counted > state.limits.sequencedBytes)
      ) {
        isPartial = true
        break
      }
      const delta = await state.deltas.get(object.ulid, object.etag, object.sizeBytes)
      if (delta.status === 'gone' || delta.status === 'changed') continue
      overlay ??= state.overlay.fork()
      if (delta.status === 'ok' && dimensionClash(delta.records, overlay.dimension) === undefined)
        await overlay.apply(delta.records, state.end + 1)
      sequenced.push({ key: inboxKey(state.path, object.ulid), etag: object.etag, sizeBytes: object.sizeBytes })
      bytes += counted
    }
    return { sequenced, overlay, isPartial }
  }

  async #stillCurrent(draft: Draft): Promise<boolean> {
    return this.#state.run(async () => {
      const began = draft.knowledge
      if (this.#state.end !== draft.version) return false
      // Looked at since the group was sealed: nothing can have come before it unseen.
      if (this.#state.knowledge && began && this.#state.knowledge.monotonicMs >= draft.sealed.monotonicMs) return true
      await this.#state.sync({ inbox: this.#state.takesInbox })
      return this.#state.end === draft.version
    })
  }

  async #put(entry: LogEntry, bytes: Uint8Array, knowledge: Stamp, sent: Stamp): Promise<PutOutcome> {
    const { env, limits } = this.#state
    const key = logEntryKey(this.#state.path, entry.number)
    let maybeApplied = false
    let failure: unknown
    for (let attempt = 0; attempt === 0 || this.#state.ageMs(sent) < limits.settleMs; attempt++) {
      try {
        const answer = await env.store.put(key, bytes, {
          ifAbsent: true,
          contentType: 'application/vnd.apache.arrow.file',
        })
        // Also when it exists already: a retry below us may have met our own first try. Whatever fails from here on
        // leaves the outcome open until somebody has looked.
        maybeApplied = true
        const whose = answer.status === 'ok' ? 'ours' : await this.#whoseEntry(key, entry.id)
        if (whose !== 'gone' && this.#state.ageMs(knowledge) <= limits.writerStalenessMs) return whose
        return await this.#settleLate(entry, whose)
      } catch (error) {
        if (!isSiltstoneError(error)) throw error
        maybeApplied ||= error.kind === 'unknown'
        if (!maybeApplied && !isPassing(error)) throw error
        failure = error
        env.metrics.count('log_puts_unsettled')
        await env.clock.sleep(Math.min(2_000, 25 * 2 ** attempt) * (0.5 + env.random.next() / 2))
      }
    }
    if (!maybeApplied) throw failure
    throw outcomeUnknown('outcome-unknown', `it is not known whether ${key} was written; read before writing again`, {
      key,
      cause: failure,
    })
  }

  async #whoseEntry(key: string, id: string): Promise<PutOutcome | 'gone'> {
    const got = await this.#state.env.store.get(key)
    // It was folded and collected since: another's, or the one that an earlier try of ours made.
    if (got.status !== 'ok') return 'gone'
    return decodeEntry(got.body, key).id === id ? 'ours' : 'lost'
  }

  /** Knowledge had expired before we saw whose the entry is, or it is gone: is ours part of the log? */
  async #settleLate(entry: LogEntry, whose: PutOutcome | 'gone'): Promise<PutOutcome> {
    const { manifests, path } = this.#state
    this.#state.env.metrics.count('log_puts_late')
    const current = await manifests.current()
    const manifest = current === 'none' ? emptyManifest(path) : current.manifest
    if (whose !== 'gone' && manifest.watermark < entry.number) return whose
    const id = recordedId(manifest, entry.number)
    if (id === undefined) {
      const key = logEntryKey(path, entry.number)
      throw outcomeUnknown('outcome-unknown', `${key} was answered after its number had been folded and forgotten`, {
        key,
      })
    }
    return id === entry.id ? 'ours' : 'lost'
  }
}

interface Evaluation {
  records: RecordOp[]
  control: EntryControl | null
  written: { request: Request; result: unknown }[]
  settled: Settled[]
  /** Have nothing to write, judged by what earlier requests of the group write: true once the entry is there. */
  dependent: Settled[]
}

/** @throws StateMoved, and SiltstoneError `corrupt` when something is missing: it concerns the group, not one request */
async function evaluateGroup(group: readonly Request[], draft: Draft): Promise<Evaluation> {
  const records: RecordOp[] = []
  const written: Evaluation['written'] = []
  const settled: Settled[] = []
  const dependent: Settled[] = []
  const settle = (one: Settled) => (written.length > 0 ? dependent : settled).push(one)
  let control: EntryControl | null = null
  for (const request of group) {
    try {
      if (control) throw unavailable('busy', 'the collection is being changed; retry', { retryAfterMs: 50 })
      const evaluated = await request.evaluate(draft)
      if (evaluated.control) control = evaluated.control
      if (evaluated.records.length === 0 && !evaluated.control && draft.sequenced.length === 0) {
        settle({ request, outcome: { result: evaluated.result } })
        continue
      }
      draft.add(evaluated.records)
      for (const record of evaluated.records) records.push(record)
      written.push({ request, result: evaluated.result })
    } catch (error) {
      if (error instanceof StateMoved || isMissing(error)) throw error
      settle({ request, outcome: { error } })
    }
  }
  return { records, control, written, settled, dependent }
}

function answer(request: Request, outcome: Settled['outcome'], version: number): void {
  if ('error' in outcome) request.reject(outcome.error)
  else request.resolve({ version, result: outcome.result })
}
