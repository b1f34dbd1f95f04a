/**
 * Mutants: copies of the product with a broken step of a protocol. A simulation that does not catch one of them lacks a
 * fault or a check. A mutant names the steps that it changes (`steps.ts`). The older form, an exact fragment of a source
 * file and its replacement, stops fitting when the text of the source changes; no new mutant uses it.
 */
import { INBOX_MUTANTS } from './inbox-mutants.ts'
import type { Mutant } from './mutant.ts'

const MANIFESTS = 'snapshot/manifest-store.ts'
const COLLECT = 'gc/garbage-collector.ts'
const FOLD = 'compact/fold.ts'
const MERGE = 'compact/merge.ts'
const WRITER = 'log/writer.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no-compare-and-swap',
    breaks: 'the pointer is moved without a condition',
    patches: [
      {
        file: MANIFESTS,
        find: "const condition = base === 'none' ? { ifAbsent: true as const } : { ifMatch: base.etag }",
        replace: 'const condition = {}',
      },
    ],
  },
  {
    name: 'pointer-before-manifest',
    breaks: 'the pointer is moved before the manifest is written',
    patches: [
      {
        file: MANIFESTS,
        find: '    await putImmutable(this.#env, key, encodeManifest(await this.#moveLists(manifest)))\n',
        replace: '',
      },
      {
        file: MANIFESTS,
        find: "if (put.status === 'ok') return { manifestKey: key, etag: put.etag }",
        replace:
          "if (put.status === 'ok') { await putImmutable(this.#env, key, encodeManifest(await this.#moveLists(manifest))); return { manifestKey: key, etag: put.etag } }",
      },
    ],
  },
  {
    name: 'collection-without-fence',
    breaks: 'the collector does not raise the epoch, so what it collects may still be published',
    patches: [{ file: COLLECT, find: 'gcEpoch: manifest.gcEpoch + 1', replace: 'gcEpoch: manifest.gcEpoch' }],
  },
  {
    name: 'collection-without-grace',
    breaks: 'young objects are collected',
    patches: [
      {
        file: COLLECT,
        find: 'await this.#deleteOld(garbage, this.#options.limits.graceMs)',
        replace: 'await this.#deleteOld(garbage, 0)',
      },
    ],
  },
  {
    name: 'collection-without-pins',
    breaks: 'objects that only a pin keeps are collected',
    patches: [
      {
        file: COLLECT,
        find: "const manifests = [...(manifestKey === '' ? [] : [manifestKey]), ...manifest.pins.map((pin) => pin.manifestKey)]",
        replace: "const manifests = manifestKey === '' ? [] : [manifestKey]",
      },
    ],
  },
  {
    name: 'watermark-too-high',
    breaks: 'the fold says that it holds an entry that it has not read',
    patches: [
      { file: FOLD, find: '      watermark: view.version,\n', replace: '      watermark: view.version + 1,\n' },
    ],
  },
  {
    name: 'no-staleness-rule',
    breaks: 'a writer trusts its knowledge of the end of the log without limit',
    patches: [
      {
        file: WRITER,
        find: '    if (!log.knowsEnd) await log.sync()',
        replace: '    if (!log.knowledge) await log.sync()',
      },
      {
        file: WRITER,
        find: '      if (this.#isExpired(batch.knowledge)) continue\n',
        replace: '',
      },
      {
        file: WRITER,
        find: "if (whose !== 'gone' && !this.#isExpired(knowledge)) return whose",
        replace: "if (whose !== 'gone') return whose",
      },
    ],
  },
  {
    name: 'late-answer-believed',
    breaks: 'a put that was answered after knowledge expired counts as written',
    patches: [
      {
        file: WRITER,
        find: "if (whose !== 'gone' && !this.#isExpired(knowledge)) return whose",
        replace: "if (whose !== 'gone') return whose",
      },
    ],
  },
  {
    name: 'inbox-keys-forgotten',
    breaks: 'a key leaves the list of sequenced deltas although its deletion failed',
    patches: [
      {
        file: COLLECT,
        find: '      for (const key of await this.#delete(keys.filter((one) => left.has(one)))) gone.add(key)\n',
        replace:
          '      await this.#delete(keys.filter((one) => left.has(one)))\n      for (const key of keys) gone.add(key)\n',
      },
    ],
  },
  {
    name: 'second-mention-applied',
    breaks: 'a delta that two entries mention is applied twice',
    patches: [
      {
        file: 'log/applied-log.ts',
        find: '      if (this.#mentioned.has(parsed.ulid)) continue\n',
        replace: '',
      },
    ],
  },
  {
    name: 'fold-rebased-across-fence',
    breaks: 'a fold that began before a collection commits after it',
    patches: [{ file: FOLD, find: '      current.gcEpoch !== origin.gcEpoch ||\n', replace: '' }],
  },
  {
    name: 'merge-rebased-across-fence',
    breaks: 'a merge that began before a collection commits after it',
    patches: [{ file: MERGE, find: ' || current.gcEpoch !== origin.gcEpoch || ', replace: ' || ' }],
  },
  {
    name: 'merge-rebased-across-reset',
    breaks: 'a merge that began before a reset commits after it',
    patches: [{ file: MERGE, find: ' || current.resetEpoch !== origin.resetEpoch)', replace: ')' }],
  },
  {
    name: 'fork-without-pin',
    breaks: "a fork does not pin its source's manifest",
    patches: [
      {
        file: 'engine/engine.ts',
        find: "await history.pin('current', { kind: 'fork', untilMs: null, reason: path })",
        replace:
          'await new ManifestStore(this.env, sourcePath).current().then((c) => ({ key: (c as any).pointer.manifestKey, manifest: (c as any).manifest }))',
      },
    ],
  },
  {
    name: 'pin-dropped-without-tombstone',
    breaks: 'the pin of a stalled fork is dropped although the fork may still publish',
    patches: [
      {
        file: COLLECT,
        find: "return (await fork.commit('none', tombstone)) === 'lost'",
        replace: 'return tombstone === undefined',
      },
    ],
  },
  {
    name: 'unknown-put-retried-at-next-number',
    breaks: 'an entry whose put had no clear answer is put again at the next number',
    patches: [
      {
        file: WRITER,
        find: "      maybeApplied ||= error.kind === 'unknown'\n",
        replace: "      if (error.kind === 'unknown') return false\n",
      },
      {
        file: WRITER,
        find: '      if (!maybeApplied || !isSiltstoneError(cause)) throw cause\n',
        replace: "      if (isSiltstoneError(cause, 'unknown')) return 'lost'\n",
      },
    ],
  },
  {
    name: 'ambiguous-412-taken-for-lost',
    breaks: 'an entry that exists already is always taken for one of another writer',
    patches: [
      {
        file: WRITER,
        find: "const whose = put.status === 'ok' ? 'ours' : await this.#whoseEntry(key, entry.id)",
        replace: "const whose = put.status === 'ok' ? 'ours' : 'lost'",
      },
    ],
  },
  {
    name: 'rest-of-the-inbox-left-behind',
    breaks: 'a write is put before deltas that are more than its entry may sequence',
    patches: [
      {
        file: 'log/write-batch.ts',
        find: '    isPartial: wanted.length < inbox.length,\n',
        replace: '    isPartial: false,\n',
      },
    ],
  },
  {
    name: 'entry-gone-taken-for-lost',
    breaks: 'an entry that was collected before its writer looked is always taken for one of another writer',
    patches: [
      {
        file: WRITER,
        find: "if (got.status !== 'ok') return 'gone'",
        replace: "if (got.status !== 'ok') return 'lost'",
      },
      {
        file: WRITER,
        find: "if (whose !== 'gone' && !this.#isExpired(knowledge)) return whose",
        replace: "if (whose === 'lost' || !this.#isExpired(knowledge)) return whose as PutOutcome",
      },
    ],
  },
  {
    name: 'collected-snapshot-taken-for-damage',
    breaks: 'a reader that stalls until its snapshot is collected does not look for a later one',
    patches: [
      {
        file: 'log/synced-log.ts',
        find: "return typeof now !== 'string' && now.manifestKey !== manifestKey",
        replace: "return typeof now !== 'string' && manifestKey === ''",
      },
    ],
  },
  {
    name: 'collected-manifest-taken-for-damage',
    breaks: 'a reader that stalls between pointer and manifest does not check whether the pointer moved',
    patches: [
      {
        file: MANIFESTS,
        find: "if (typeof now === 'string' || now.etag === at.etag) throw error",
        replace: 'if (now) throw error',
      },
    ],
  },
  {
    name: 'given-up-fork-answered',
    breaks: 'a fork that a collector ended is reported as created',
    patches: [
      {
        file: 'engine/engine.ts',
        find: "if (current === 'none' || current.manifest.state === 'live') return\n",
        replace: 'if (current) return\n',
      },
    ],
  },
  {
    name: 'stray-read-as-the-past',
    breaks: 'a point in time is read from any entry under a number below the watermark',
    patches: [
      {
        file: 'log/past-view.ts',
        find: "if (now !== 'none' && past.entries.some((entry) => !isOfLog(now.manifest, entry))) throw gone()",
        replace: 'if (now === undefined) throw gone()',
      },
    ],
  },
  {
    name: 'failed-look-up-forgotten',
    breaks: 'later requests of a group do not see earlier records of it whose rows could not be looked up',
    patches: [
      {
        file: 'log/write-batch.ts',
        find: '      await this.#overlay.apply(records, this.version + 1)\n      this.#unapplied.shift()\n',
        replace: '      this.#unapplied.shift()\n      await this.#overlay.apply(records, this.version + 1)\n',
      },
    ],
  },
  {
    name: 'fork-of-a-half-folded-source',
    breaks: 'a fork is made although another process still folds its source',
    patches: [
      {
        file: 'compact/compactor.ts',
        find: '    // Another process took the lease, or was faster each time. It does the rest, which may not be folded yet.\n    outcome.busy = true\n',
        replace: '',
      },
    ],
  },
  {
    name: 'inbox-not-listed-before-a-write',
    breaks: 'a write is put before a delta that was acknowledged earlier',
    patches: [
      {
        file: 'log/synced-log.ts',
        find: '    this.#inbox = await listInbox(env.store, path)\n',
        replace: '',
      },
    ],
  },
  {
    name: 'merge-of-what-another-took',
    breaks: 'a merge commits its remaining inputs after another merge took one',
    patches: [
      {
        file: MERGE,
        find: 'inputs.includes(undefined) && isMergedBetween(origin, current)',
        replace: 'false && isMergedBetween(origin, current)',
      },
    ],
  },
  {
    name: 'owner-in-the-middle-let-go',
    breaks: 'a fork of a fork keeps only the owners of objects it uses, not the owners in between',
    patches: [
      {
        file: COLLECT,
        find: 'return manifest.owners\n    }\n    return []',
        replace: 'return manifest.owners.filter(({ collection }) => collection === parsed.path)\n    }\n    return []',
      },
    ],
  },
  {
    name: 'deletion-leaves-the-log-open',
    breaks: 'a collection is deleted without closing its log',
    patches: [{ step: 'log-is-closed', drop: true }],
  },
  {
    name: 'fork-shown-before-its-pointer',
    breaks: 'a fork goes live before its pointer is published',
    patches: [{ step: 'fork-is-prepared', drop: true }],
  },
  {
    name: 'catalog-without-compare-and-swap',
    breaks: 'a document of the catalog is written over without a condition',
    patches: [{ step: 'catalog-condition', value: '{} as { ifAbsent: true }' }],
  },
  {
    name: 'name-taken-from-its-owner',
    breaks: 'a claim on a name is taken over although its owner wants it',
    patches: [{ step: 'owner-is-examined', value: "'free' as Verdict" }],
  },
  ...INBOX_MUTANTS,
]
