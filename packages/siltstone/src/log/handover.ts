/**
 * Fair writing: combining through the inbox. A writer that has lost a race for a number does not race again. It hands
 * its group over as a delta in the inbox, whose metadata name the writer (`siltstone.handover`), and waits for an entry
 * that sequences it. Each entry sequences all that is in the inbox, so one entry serves all the writers that wait.
 *
 * 1. The delta is put under one ULID, however often the put is repeated, so it is applied once or never.
 *    Its ULID sorts after those of bare producers, and no read shows the delta before an entry sequences it.
 * 2. The writer reads the entries after the last one that it knows, first after the time that an entry takes, then more
 *    often. The entry that mentions the delta answers its group: its number is the version.
 * 3. An entry that sequences hand-overs names the writers whose `turns` the next numbers are: those of tickets first (a
 *    ticket is a hand-over without records, of a writer whose request depends on the state), then the writer of the last
 *    hand-over. That writer appends its next group itself, one put later, and so serves the others; the others wait.
 * 4. When no new entry has come for 8 to 16 puts, a waiting writer appends itself.
 *
 * Bounds: a delta that is visible at time t is sequenced at the latest by the second entry created after t, plus one for
 * each 1,000 deltas or 64 MB before it. For let j be the first entry created after t: the writer of entry j+1 had seen
 * j when it listed the inbox. By rule 4, something is appended within 16 puts and one append as long as a writer waits.
 * A turn is a hint: a writer that does not take its turn costs the others the time of rule 4, once.
 *
 * Failure cases:
 * - The put of the delta, or the end of the waiting, has no clear answer: the outcome is unknown. The delta is applied
 *   once or never.
 * - The writer dies while it waits: its delta is applied without an acknowledgement, as a put entry would be, but with
 *   the next entry, so a read may come between the death and the effect. The first entry of a new process sequences it
 *   before its own records, so what its user writes again stands.
 * - The delta is refused, because a reset changed the dimension: it is never applied. The group is evaluated and
 *   appended without a hand-over, which tells each request its own error.
 * - The collection is deleted: nothing is sequenced after the last entry, so the group was not applied.
 * - A writer is suspended for longer than mentions are remembered between two attempts of one put: the same limit as for
 *   bare producers. Attempts end long before that, by both clocks.
 * - A writer waits, or is suspended, for half as long as mentions are remembered. It reads the log and then lists the
 *   inbox. A mention is forgotten only after the delta is deleted, so a delta that is listed had no mention that the
 *   reading could miss: the writer goes on waiting. One that is not listed was mentioned; if a second reading does not
 *   tell where, the mention is forgotten, and the outcome is unknown.
 */
import { isPassing, isSiltstoneError, outcomeUnknown } from '../errors.ts'
import { encodeDelta } from '../format/delta.ts'
import type { SequencedDelta } from '../format/entry.ts'
import type { KeptEntry } from './entry-vectors.ts'
import { handoverUlid, inboxKey } from '../format/keys.ts'
import type { RecordOp } from '../model/record.ts'
import { retry } from '../ports/retry.ts'
import { readEntry } from './applied-log.ts'
import type { CollectionState, Locked } from './collection-state.ts'
import type { Contention } from './contention.ts'
import { mentionOf } from './mention.ts'
import { ageMs, stampNow } from './stamp.ts'

export interface HandOver {
  state: CollectionState
  /** Of the writer. */
  name: string
  contention: Contention
  /** Appends an entry that sequences the inbox, unless another writer is faster. */
  combine: () => Promise<void>
}

export interface Mentioned {
  entry: KeptEntry
  mention: SequencedDelta
}

/**
 * Hands records over and waits until an entry mentions them.
 * @param records none: a ticket
 * @returns the entry, and what it says of the delta; it may be refused
 * @throws SiltstoneError `not-found` (deleted), `unavailable` (nothing was written), `unknown` (outcome-unknown), `invalid`
 *   (the records cannot be a delta)
 */
export async function handOver(context: HandOver, records: readonly RecordOp[]): Promise<Mentioned> {
  const { state, name, contention } = context
  const { env, path, limits } = state
  const bytes = encodeDelta({ collection: path, records, createdAtMs: env.clock.nowMs(), handover: name })
  const ulid = handoverUlid(env.ids.ulid())
  const from = await state.run(async ({ log }) => log.end)
  // A mention that was made since then is known to be remembered for the whole retention.
  let rememberedFrom = stampNow(env.clock)
  await putDelta(context, inboxKey(path, ulid), bytes)
  env.metrics.count('log_groups_handed_over')
  const failed = (cause: unknown) =>
    outcomeUnknown('outcome-unknown', `it is not known whether ${inboxKey(path, ulid)} is in the log`, {
      key: inboxKey(path, ulid),
      cause,
    })
  let seen = -1
  let heard = stampNow(env.clock)
  let looks = 0
  let patienceMs = contention.patienceMs()
  for (;;) {
    // An entry takes a listing and a put at least, so the first look comes after a pause too.
    await env.clock.sleep(contention.pauseMs(looks++))
    let isForgotten = false
    try {
      const end = await state.runWithRetry((locked) => look(locked, ulid))
      if (end === 'mentioned') {
        const mentioned = await mentionedAt(state, ulid, from)
        if (mentioned) return mentioned
        isForgotten = true
      } else if (ageMs(env.clock, rememberedFrom) > limits.inboxRetentionMs / 2) {
        const now = stampNow(env.clock)
        isForgotten = !(await state.runWithRetry((locked) => isWaiting(locked, ulid)))
        rememberedFrom = now
      } else if (end !== seen) {
        seen = end
        heard = stampNow(env.clock)
        looks = 0
        patienceMs = contention.patienceMs()
      } else if (ageMs(env.clock, heard) >= patienceMs) {
        // step: waiting-writer-appends
        await context.combine()
        patienceMs += contention.patienceMs()
      }
    } catch (error) {
      if (isSiltstoneError(error, 'not-found')) {
        // The log is closed. Its last look may have told of the mention as well, and a mention is forgotten in time.
        const isMentioned = await state.run(async ({ log }) => log.isMentioned(ulid))
        if (!isMentioned && ageMs(env.clock, rememberedFrom) < limits.inboxRetentionMs / 2) throw error
        const mentioned = isMentioned ? await mentionedAt(state, ulid, from) : undefined
        if (mentioned) return mentioned
        throw failed(error)
      }
      if (!isPassing(error) || ageMs(env.clock, heard) > limits.settleMs) throw failed(error)
    }
    if (isForgotten) throw failed(undefined)
  }
}

async function putDelta({ state, contention }: HandOver, key: string, bytes: Uint8Array): Promise<void> {
  const { clock, random, store } = state.env
  const began = stampNow(clock)
  const withinMs = Math.min(state.limits.settleMs, state.limits.inboxRetentionMs / 4)
  let maybeApplied = false
  try {
    await retry(
      async () => {
        const sentMs = clock.monotonicMs()
        // step: handover-keeps-its-name
        await store.put(key, bytes, { ifAbsent: true, contentType: 'application/vnd.apache.arrow.file' })
        contention.measured(clock.monotonicMs() - sentMs)
      },
      {
        attempts: Number.POSITIVE_INFINITY,
        baseMs: 25,
        maxMs: 2_000,
        clock,
        random,
        when: (error) => {
          maybeApplied ||= isSiltstoneError(error, 'unknown')
          return isPassing(error) && ageMs(clock, began) < withinMs
        },
      },
    )
  } catch (cause) {
    if (!maybeApplied) throw cause
    throw outcomeUnknown('outcome-unknown', `it is not known whether ${key} was written`, { key, cause })
  }
}

/** Applies entries that are new. @returns the end of the log, or `mentioned` */
async function look({ log }: Locked, ulid: string): Promise<number | 'mentioned'> {
  if (!log.knowsEnd) await log.sync()
  if (await log.follow(ulid)) return 'mentioned'
  log.requireOpen()
  return log.end
}

/** @returns false when the delta has left the inbox and no mention of it is remembered; true also when it is mentioned */
async function isWaiting({ log }: Locked, ulid: string): Promise<boolean> {
  // In this order: see "Failure cases".
  await log.sync()
  if (log.isMentioned(ulid)) return true
  const inbox = await log.listInbox(true)
  if (inbox.some((delta) => delta.ulid === ulid)) return true
  await log.sync()
  return log.isMentioned(ulid)
}

/**
 * @param from number of an entry before the mention
 * @returns undefined when the entry is no longer kept
 */
async function mentionedAt(state: CollectionState, ulid: string, from: number): Promise<Mentioned | undefined> {
  const known = await state.run(async ({ log }) => log.entries)
  for (let number = from + 1; ; number++) {
    const entry =
      known.find((one) => one.number === number) ?? (await readEntry(state.env.store, state.path, number))?.entry
    if (!entry) return undefined
    const mention = mentionOf(entry, ulid)
    if (mention) return { entry, mention }
  }
}
