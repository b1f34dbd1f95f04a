/** Mutants of the rules by which an entry takes deltas from the inbox (`log/take-inbox.ts`). */
import type { Mutant } from './mutant.ts'

const CLEAR = 'await clearInbox(state.env, batch.sequenced.map(({ key }) => key), batch.versions)'

/** As many as the checks of reads can tell apart: see `UNSURE` in `reads.ts`. */
const DELTAS = { producers: 2, deltas: 6 }

export const INBOX_MUTANTS: readonly Mutant[] = [
  {
    name: 'inbox-deleted-before-put-settled',
    breaks: 'what an entry takes is deleted before it is known that the entry exists',
    changes: [{ step: 'entry-is-encoded', instead: `const bytes = encodeEntry(entry); ${CLEAR}` }],
  },
  {
    name: 'inbox-deleted-after-unknown-put',
    breaks: 'what an entry takes is deleted although it is not known whether the entry exists',
    changes: [
      { step: 'unknown-end-is-forgotten', instead: `await state.run(async ({ log }) => log.forgetEnd()); ${CLEAR}` },
    ],
    provokedBy: {
      ...DELTAS,
      'faults.late': 0.2,
      'faults.after': 0.1,
      'faults.before': 0.1,
      sessions: 4,
      operations: 20,
    },
  },
  {
    name: 'mention-forgotten-at-first-deletion',
    breaks: 'a mention is forgotten once its delta was deleted, although a copy of it may arrive later',
    changes: [{ step: 'mentions-are-remembered', value: 'current.sequenced' }],
  },
  {
    name: 'entries-listed-before-inbox',
    breaks: 'a read lists the entries before the inbox',
    changes: [
      { step: 'inbox-before-entries', instead: 'let inbox: InboxObject[] = []' },
      {
        step: 'listing-of-both',
        instead:
          'inbox = wantInbox ? await listInbox(store, path) : []; return { entries: sort(entries).entries, inbox }',
      },
    ],
  },
  {
    name: 'gone-delta-dropped-from-the-view',
    breaks: 'a read leaves out a delta that was deleted after it was listed',
    changes: [{ step: 'gone-delta-is-looked-up', instead: ';' }],
  },
  {
    name: 'taken-copy-without-etag',
    breaks: 'a delta is copied in whichever version the inbox holds',
    changes: [
      { step: 'copy-of-the-listed-version', value: '{}' },
      { step: 'copy-is-what-was-judged', instead: 'crc32 = crcHex(got.body)' },
    ],
    provokedBy: {
      ...DELTAS,
      'log.inlineDeltaBytes': 0,
      'faults.late': 0.2,
      'faults.duplicate': 0.3,
      servers: 3,
      sessions: 4,
      operations: 20,
    },
  },
  {
    name: 'inline-and-inbox-both-applied',
    breaks: 'a delta that an entry has taken is also read from the inbox',
    changes: [
      {
        step: 'taken-delta-is-mentioned',
        instead: 'if (mention.records === undefined) this.#mentioned.add(parsed.ulid)',
      },
    ],
  },
  {
    name: 'inline-before-own-order-swapped',
    breaks: "an entry's own records are applied before those of the deltas that it takes",
    changes: [
      { step: 'taken-deltas-come-first', drop: true },
      {
        step: 'own-records-come-last',
        instead: 'await this.#applyRecords(entry); sizeBytes += await this.#applyDeltas(entry, last)',
      },
    ],
  },
  {
    name: 'refusal-before-its-cause',
    breaks: 'a request that a hand-over refuses is answered before an entry holds the hand-over',
    changes: [
      {
        step: 'refusal-waits-for-what-caused-it',
        instead: 'const settle = (one: Settled) => (written.length > 0 ? dependent : settled).push(one)',
      },
    ],
    provokedBy: { servers: 3, sessions: 4, operations: 24, 'faults.slow': 0.7 },
  },
  {
    name: 'refusal-settles-an-open-delta',
    breaks: 'a producer whose put had no answer, and was then refused, says that nothing was written',
    changes: [{ step: 'refusal-leaves-the-delta-open', value: '!isPassing(cause)' }],
    provokedBy: { refusals: 12, 'faults.after': 0.2, ...DELTAS },
  },
  {
    name: 'no-timer',
    breaks: 'every writer that has handed over waits for another one to append',
    changes: [{ step: 'waiting-writer-appends', drop: true }],
  },
  {
    name: 'handover-under-a-new-ulid',
    breaks: 'each attempt to hand a group over has a name of its own',
    changes: [
      {
        step: 'handover-keeps-its-name',
        instead: 'await store.put(inboxKey(state.path, handoverUlid(state.env.ids.ulid())), bytes, { ifAbsent: true })',
      },
    ],
  },
  {
    name: 'handover-listed-before-last-entry-known',
    breaks: 'an entry sequences what was in the inbox before the last entry was known',
    changes: [{ step: 'inbox-after-the-end', value: 'log.unsequenced' }],
  },
]
