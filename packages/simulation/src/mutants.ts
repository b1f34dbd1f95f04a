/**
 * Mutants: copies of the product with a broken step of a protocol. A mutant that the simulation does not catch shows that
 * it lacks a fault or a check. A mutant names the steps that it changes (`steps.ts`), so it does not depend on the text
 * of the source.
 */
import { INBOX_MUTANTS } from './inbox-mutants.ts'
import type { Mutant } from './mutant.ts'
import {
  LONG_STALLS,
  MANY_STALLS,
  SMALL_FOLDS,
  SMALL_MERGES,
  STALLED_FOLDS,
  STALLED_FORKS,
  STALLED_MERGES,
} from './provoking-plans.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no-compare-and-swap',
    breaks: 'the pointer is moved without a condition',
    changes: [{ step: 'pointer-condition', value: '{}' }],
  },
  {
    name: 'pointer-before-manifest',
    breaks: 'the pointer is moved before the manifest is written',
    changes: [
      { step: 'manifest-is-written', drop: true },
      {
        step: 'pointer-is-moved',
        instead: `if (put.status === 'ok') {
          await putImmutable(this.#env, key, encodeManifest(await this.#moveLists(manifest)))
          return { manifestKey: key, etag: put.etag }
        }`,
      },
    ],
  },
  {
    name: 'gc-without-fence',
    breaks: 'the garbage collector does not raise the epoch, so objects that it deletes may still be published',
    changes: [{ step: 'gc-raises-the-epoch', value: 'manifest.gcEpoch' }],
  },
  {
    name: 'gc-without-grace',
    breaks: 'the garbage collector deletes young objects',
    changes: [{ step: 'garbage-is-deleted', instead: 'await this.#deleteOld(garbage, 0)' }],
  },
  {
    name: 'gc-without-pins',
    breaks: 'the garbage collector deletes objects that only a pin keeps',
    changes: [{ step: 'pins-are-followed', value: "manifestKey === '' ? [] : [manifestKey]" }],
  },
  {
    name: 'watermark-too-high',
    breaks: 'the fold claims an entry that it has not read',
    changes: [{ step: 'fold-sets-the-watermark', value: 'view.version + 1' }],
  },
  {
    name: 'no-staleness-rule',
    breaks: 'a writer trusts its knowledge of the end of the log without a limit of age',
    changes: [
      { step: 'old-knowledge-is-renewed', value: '!log.knowledge' },
      { step: 'put-needs-knowledge', drop: true },
      { step: 'late-answer-is-settled', value: "whose !== 'gone'" },
    ],
    provokedBy: { 'faults.stall': 0.04, 'faults.late': 0.05, servers: 3, sessions: 4, compactors: 2, collectors: 2 },
  },
  {
    name: 'late-answer-believed',
    breaks: "a put whose answer came after the writer's knowledge expired counts as written",
    changes: [{ step: 'late-answer-is-settled', value: "whose !== 'gone'" }],
  },
  {
    name: 'inbox-keys-forgotten',
    breaks: 'a key leaves the list of sequenced deltas although its deletion failed',
    changes: [
      {
        step: 'deleted-deltas-are-noted',
        instead: `await this.#delete(keys.filter((one) => left.has(one)))
          for (const key of keys) gone.add(key)`,
      },
    ],
  },
  {
    name: 'second-mention-applied',
    breaks: 'a delta that two entries mention is applied twice',
    changes: [{ step: 'second-mention-is-void', drop: true }],
    provokedBy: { collectors: 0, repeaters: 2, producers: 2, deltas: 6, compactors: 2 },
  },
  {
    name: 'fold-rebased-across-fence',
    breaks: 'a fold that began before a garbage collection commits after it',
    changes: [{ step: 'fold-is-fenced', value: 'false' }],
    provokedBy: STALLED_FOLDS,
  },
  {
    name: 'merge-rebased-across-fence',
    breaks: 'a merge that began before a garbage collection commits after it',
    changes: [{ step: 'merge-is-fenced', value: 'false' }],
    provokedBy: STALLED_MERGES,
  },
  {
    name: 'merge-rebased-across-reset',
    breaks: 'a merge that began before a reset commits after it',
    changes: [{ step: 'merge-ends-at-a-reset', value: 'false' }],
  },
  {
    name: 'claims-not-looked-at',
    breaks: 'a process merges what another one has claimed',
    changes: [{ step: 'claimed-segments-are-left-alone', value: 'await chooseMerge(context, [])' }],
    provokedBy: SMALL_MERGES,
  },
  {
    name: 'claimed-entries-not-looked-at',
    breaks: 'a process folds what another one has claimed',
    changes: [{ step: 'claimed-entries-are-left-alone', value: 'claims.slice(claims.length).map(rangeOf)' }],
    provokedBy: SMALL_FOLDS,
  },
  {
    name: 'fold-out-of-turn',
    breaks: 'a fold commits before the fold of the entries before its own',
    changes: [
      { step: 'turn-is-awaited', value: 'true' },
      { step: 'fold-follows-the-watermark', value: 'current.watermark >= input.first' },
      { step: 'records-before-are-counted', value: 'false' },
    ],
    provokedBy: SMALL_FOLDS,
  },
  {
    name: 'fold-forgets-the-one-before',
    breaks: 'a fold beside another one takes records for as they were before both',
    changes: [{ step: 'record-before-the-range', value: 'undefined' }],
    provokedBy: SMALL_FOLDS,
  },
  {
    name: 'fork-without-pin',
    breaks: "a fork does not pin its source's manifest",
    changes: [
      {
        step: 'source-is-pinned',
        value: `isEmpty ? undefined : await new ManifestStore(this.env, sourcePath)
          .current()
          .then(({ pointer, manifest }) => ({ key: pointer.manifestKey, manifest }))`,
      },
    ],
    provokedBy: { lifecycles: 3, collectors: 2 },
  },
  {
    name: 'pin-dropped-without-tombstone',
    breaks: 'the pin of a stalled fork is dropped although the fork may still publish',
    changes: [{ step: 'stalled-fork-is-ended', value: 'false' }],
  },
  {
    name: 'unknown-put-retried-at-next-number',
    breaks: 'an entry whose put had no clear answer is put again at the next number',
    changes: [
      { step: 'unknown-put-is-repeated', instead: "if (error.kind === 'unknown') return false" },
      { step: 'unknown-put-is-reported', instead: "if (isSiltstoneError(cause, 'unknown')) return 'lost'" },
    ],
  },
  {
    name: 'refusal-settles-an-open-put',
    breaks: 'a write whose put had no answer, and was then refused, fails as if nothing had been written',
    changes: [
      { step: 'refusal-leaves-the-put-open', value: '!isPassing(error)' },
      { step: 'unknown-put-is-reported', instead: 'if (!maybeApplied || !isPassing(cause)) throw cause' },
    ],
    provokedBy: { refusals: 12, 'faults.late': 0.2, 'faults.after': 0.2, operations: 24, sessions: 4, servers: 3 },
  },
  {
    name: 'ambiguous-412-taken-for-lost',
    breaks: "an existing entry is always taken for another writer's",
    changes: [{ step: 'existing-entry-is-read', value: "put.status === 'ok' ? 'ours' : 'lost'" }],
  },
  {
    name: 'rest-of-the-inbox-left-behind',
    breaks: 'a write is ordered before the deltas that exceed what its entry may sequence',
    changes: [{ step: 'rest-of-the-inbox-comes-first', value: 'false' }],
    provokedBy: { producers: 2, deltas: 6, 'log.sequencedDeltas': 1 },
  },
  {
    name: 'entry-gone-taken-for-lost',
    breaks: "an entry that was deleted before its writer looked is always taken for another writer's",
    changes: [
      { step: 'vanished-entry-is-settled', instead: "if (got.status !== 'ok') return 'lost'" },
      { step: 'late-answer-is-settled', value: "whose === 'lost' || !this.isExpired(knowledge)" },
    ],
  },
  {
    name: 'collected-snapshot-taken-for-damage',
    breaks: 'a process that stalls until its snapshot is deleted does not look for a later one',
    changes: [{ step: 'later-snapshot-is-sought', value: "typeof now !== 'string' && manifestKey === ''" }],
    provokedBy: MANY_STALLS,
  },
  {
    name: 'collected-manifest-taken-for-damage',
    breaks: 'a process that stalls between pointer and manifest does not check whether the pointer moved',
    changes: [{ step: 'pointer-is-read-again', value: 'true' }],
    provokedBy: LONG_STALLS,
  },
  {
    name: 'given-up-fork-answered',
    breaks: 'a fork that the garbage collector ended is answered as if it had been made',
    changes: [{ step: 'ended-fork-is-refused', value: 'true' }],
    provokedBy: STALLED_FORKS,
  },
  {
    name: 'stray-read-as-the-past',
    breaks: 'a read of an earlier version trusts any entry below the watermark, although it may be a stray',
    changes: [{ step: 'strays-are-refused', value: 'false' }],
  },
  {
    name: 'failed-look-up-forgotten',
    breaks: 'later requests of a group do not see records of earlier ones whose rows could not be looked up',
    changes: [
      {
        step: 'failed-look-up-is-repeated',
        instead: `for (let records = this.#unapplied.shift(); records; records = this.#unapplied.shift())
          await this.#overlay.apply(records, this.version + 1)`,
      },
    ],
  },
  {
    name: 'fork-of-a-half-folded-source',
    breaks: 'a fork is made while another process still folds its source',
    changes: [{ step: 'unfinished-work-is-reported', drop: true }],
  },
  {
    name: 'inbox-not-listed-before-a-write',
    breaks: 'a write is ordered before a delta that was acknowledged earlier',
    changes: [{ step: 'inbox-is-listed', drop: true }],
  },
  {
    name: 'absent-input-ignored',
    breaks: 'a merge commits its remaining inputs after another merge took one, or folds emptied one',
    changes: [{ step: 'absent-input-is-lost', value: 'isAbsent && current.segments.length < 0' }],
  },
  {
    name: 'merge-forgets-late-deletions',
    breaks: 'rows that folds deleted while a merge worked are live again',
    changes: [{ step: 'late-deletions-of-taken-rows', drop: true }],
    provokedBy: {
      ...SMALL_MERGES,
      operations: 40,
      sessions: 4,
      'faults.stall': 0.03,
      stallMs: 40_000,
      'compact.deletedShare': 0.9,
    },
  },
  {
    name: 'peel-without-bitmap',
    breaks: 'rows that were cut from a segment stay live in it',
    changes: [{ step: 'peeled-rows-leave-their-segment', instead: 'replacement.push(...now)' }],
    provokedBy: SMALL_MERGES,
  },
  {
    name: 'overlay-join-first-value-wins',
    breaks: 'joined overlays have the oldest value of a row instead of the newest',
    changes: [{ step: 'last-overlay-wins', value: '{ ...change, ...last.get(change.row) }' }],
  },
  {
    name: 'owner-in-the-middle-let-go',
    breaks: 'a fork of a fork keeps only the owners whose objects it uses, not the owners in between',
    changes: [
      { step: 'owners-are-kept', value: 'manifest.owners.filter(({ collection }) => collection === parsed.path)' },
    ],
  },
  {
    name: 'continues-without-progress',
    breaks: 'an invocation that committed nothing sends a message for the next one',
    changes: [{ step: 'continues-only-after-progress', drop: true }],
  },
  {
    name: 'step-larger-than-S',
    breaks: 'a merge takes more than a step may',
    changes: [{ step: 'step-is-bounded', value: 'sum(liveBytes) >= 0' }],
    provokedBy: SMALL_MERGES,
  },
  {
    name: 'deletion-leaves-the-log-open',
    breaks: 'a collection is deleted without closing its log',
    changes: [{ step: 'log-is-closed', drop: true }],
  },
  {
    name: 'fork-shown-before-its-pointer',
    breaks: 'a fork goes live before its pointer is published',
    changes: [{ step: 'fork-is-prepared', drop: true }],
  },
  {
    name: 'catalog-without-compare-and-swap',
    breaks: 'a document of the catalog is overwritten without a condition',
    changes: [{ step: 'catalog-condition', value: '{}' }],
    provokedBy: { renamers: 3 },
  },
  {
    name: 'name-taken-from-its-owner',
    breaks: 'a claim on a name is taken over although its owner wants it',
    changes: [{ step: 'owner-is-examined', value: "'free'" }],
    provokedBy: { renamers: 3 },
  },
  {
    name: 'rename-without-a-claim',
    breaks: 'a collection gets a new name without acquiring the claim to it',
    changes: [{ step: 'rename-acquires-the-claim', value: "'acquired' as 'acquired' | 'taken'" }],
    provokedBy: { renamers: 3 },
  },
  {
    name: 'database-checked-once',
    breaks: 'a collection is created in a database that was deleted after it was looked at',
    changes: [{ step: 'database-is-checked-again', value: 'incarnation' }],
    provokedBy: { keepers: 3 },
  },
  {
    name: 'start-ends-when-the-store-is-away',
    breaks: 'a server ends at its start when the store cannot be reached',
    changes: [{ step: 'start-waits-for-the-store', value: '() => false' }],
    provokedBy: { probing: 1 },
  },
  {
    name: 'refusal-of-its-own-put-believed',
    breaks: 'a server takes a store for one that ignores conditions because a repeated put was refused',
    changes: [
      { step: 'own-put-is-recognised', drop: true },
      { step: 'refusal-is-probed-again', value: 'true' },
    ],
    provokedBy: { probing: 1 },
  },
  {
    name: 'unrecorded-entries-kept',
    breaks:
      'entries of which the record of folded entries says nothing, such as one that was brought back, are kept forever',
    changes: [{ step: 'unrecorded-entries-are-old', value: 'foldedAt(parsed.number) ?? nowMs' }],
  },
  {
    name: 'repair-revives-the-deleted',
    breaks: 'a repair makes the object of a deleted collection again',
    changes: [{ step: 'deleted-collections-stay-deleted', drop: true }],
    provokedBy: { damages: 8, lifecycles: 3, rivals: 3, collectors: 0 },
  },
  {
    name: 'repair-without-the-copy',
    breaks: 'an object of a collection is not made again from the copy in the claim to its name',
    changes: [{ step: 'copy-is-taken', value: 'undefined' }],
    provokedBy: { damages: 3 },
  },
  {
    name: 'repair-takes-a-claim-from-its-owner',
    breaks: 'a repair makes a claim again for no collection, although a live one has the name',
    changes: [{ step: 'live-collections-have-claims', value: 'true' }],
    provokedBy: { damages: 3 },
  },
  ...INBOX_MUTANTS,
]
