/**
 * The truth of the bucket, kept by watching each change as it happens: the log of each collection, folded by the model,
 * the history of each pointer, and the invariants that must hold at each change by any process.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type CollectionDocument,
  collectionType,
  decodeChecked,
  decodeDelta,
  decodeDocument,
  decodeEntry,
  decodeManifest,
  decodePointer,
  LIST_FIELDS,
  type LogEntry,
  type LogLimits,
  type ListField,
  type Manifest,
  objectsOf,
  parseKey,
  type RecordOp,
  type SequencedDelta,
  storeKey,
} from 'siltstone/internal'
import type { Bucket, BucketObserver, StoredObject } from './bucket.ts'
import { CollectionTruth, MARKER, type InboxDelta, type TrueManifest } from './collection-truth.ts'
import { checkCommit, checkDeletion, type Keep, type KnownState } from './commit-checks.ts'
import type { Marks } from './marks.ts'
import { applyDelta, applyRecords, deltaFits, emptyState, type ModelState } from './log-model.ts'
import { Violation } from './violation.ts'

const NOTHING: ReadonlySet<string> = new Set()

export class Truth implements BucketObserver, KnownState {
  readonly bucket: Bucket
  readonly marks: Marks
  readonly collections = new Map<string, CollectionTruth>()
  readonly manifests = new Map<string, TrueManifest>()
  readonly bornMs = new Map<string, number>()
  /** The catalog's documents of collections, by key. */
  readonly #documents = new Map<string, CollectionDocument>()
  readonly #reachable = new WeakMap<TrueManifest, ReadonlySet<string>>()
  readonly #nowMs: () => number
  readonly #limits: LogLimits
  readonly keep: Keep
  readonly stepBytes: number
  readonly #report: (violation: Violation) => void

  constructor(options: {
    bucket: Bucket
    marks: Marks
    nowMs: () => number
    limits: LogLimits
    keep: Keep
    stepBytes: number
    report: (violation: Violation) => void
  }) {
    this.bucket = options.bucket
    this.marks = options.marks
    this.#nowMs = options.nowMs
    this.#limits = options.limits
    this.keep = options.keep
    this.stepBytes = options.stepBytes
    this.#report = options.report
  }

  of(path: string): CollectionTruth {
    let truth = this.collections.get(path)
    if (!truth) this.collections.set(path, (truth = new CollectionTruth(path)))
    return truth
  }

  /** Whether a collection is live. */
  isLive(id: string): boolean {
    return [...this.#documents.values()].some((document) => document.id === id && document.state === 'live')
  }

  created(key: string, object: StoredObject, by: string): void {
    // Its lists may be gone by now, and what it says is known.
    if (this.manifests.has(key)) return
    if (key.startsWith('snapshot/') && !this.bornMs.has(key)) this.bornMs.set(key, this.#nowMs())
    this.#watch(() => {
      const parsed = parseKey(key)
      if (parsed?.kind === 'log-entry') this.#entry(this.of(parsed.path), parsed.number, key, object, by)
      else if (parsed?.kind === 'inbox') this.#delta(this.of(parsed.path), parsed.ulid, key, object)
      else if (parsed?.kind === 'manifest') this.#manifest(parsed.path, key, object)
      else if (parsed?.kind === 'pointer') this.#commit(this.of(parsed.path), key, object, by)
      else if (parsed?.kind === 'collection-id') this.#catalogued(key, object, by)
    })
  }

  replaced(key: string, object: StoredObject, by: string): void {
    this.#watch(() => {
      const parsed = parseKey(key)
      if (parsed?.kind === 'pointer') this.#commit(this.of(parsed.path), key, object, by)
      else if (parsed?.kind === 'collection-id') this.#catalogued(key, object, by)
      else if (!/^(catalog|probe)\//.test(key) && key !== storeKey && parsed?.kind !== 'gc-due')
        throw new Violation('immutable objects', `${by} wrote over ${key}`)
    })
  }

  deleting(key: string, by: string): void {
    this.#watch(() => checkDeletion(this, key, by, this.#nowMs()))
  }

  #catalogued(key: string, object: StoredObject, by: string): void {
    const document = decodeDocument(collectionType, object.body, key)
    this.#documents.set(key, document)
    if (document.state !== 'live') return
    const { tenant, database, name } = document
    const nameOf = (other: CollectionDocument) => JSON.stringify([other.tenant, other.database, other.name])
    for (const [otherKey, other] of this.#documents)
      if (otherKey !== key && other.state === 'live' && nameOf(other) === nameOf(document))
        throw new Violation(
          'unique names',
          `${by} made ${key} live as ${name} in ${tenant}/${database}, which is ${otherKey}`,
        )
  }

  #watch(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#report(error instanceof Violation ? error : new Violation('readable objects', String(error)))
    }
  }

  #entry(truth: CollectionTruth, number: number, key: string, object: StoredObject, by: string): void {
    const entry = decodeEntry(object.body, key)
    if (number <= truth.end) {
      if (number > truth.watermark)
        throw new Violation('order of the log', `${by} created ${key} again, above the watermark`)
      this.marks.hit('stray entry')
      return
    }
    if (number !== truth.end + 1)
      throw new Violation('order of the log', `${by} created ${key} after entry ${truth.end}`)
    if (truth.closed) throw new Violation('closed logs', `${by} created ${key} in a log that is closed`)
    let between = truth.state(number - 1)
    const deltas: InboxDelta[] = []
    for (const mention of entry.sequenced) {
      const parsed = parseKey(mention.key)
      const delta = parsed?.kind === 'inbox' ? truth.inbox.get(parsed.ulid) : undefined
      if (!delta || delta.etag !== mention.etag)
        throw new Violation('order of the log', `${key} sequences ${mention.key}, which never was in the inbox`)
      if (truth.mentioned.has(delta.ulid)) {
        this.marks.hit('void mention')
        continue
      }
      truth.mentioned.set(delta.ulid, number)
      deltas.push(delta)
      const fits = delta.records !== null && deltaFits(between, delta.records)
      this.#checkTaken(key, mention, fits ? delta.records : null)
      if (delta.records === null || !fits) this.marks.hit('delta refused')
      else this.#noteMarkers(truth, delta.records, `delta ${delta.ulid}`)
      if (delta.records !== null) between = applyDelta(between, delta.records)
    }
    this.#checkWaiting(truth, entry)
    this.#noteMarkers(truth, entry.records, `entry ${number}`)
    let state = applyRecords(between, entry.records)
    if (entry.control?.kind === 'reset') state = this.#resetTo(truth, entry.control.manifestKey, number)
    if (entry.control?.kind === 'closed') truth.closed = true
    truth.log.push({ entry, createdMs: this.#nowMs(), between, deltas, state })
  }

  /** What was in the inbox before the entry before this one is sequenced by this one, unless it is full. */
  #checkWaiting(truth: CollectionTruth, { number, sequenced, writer }: LogEntry): void {
    const before = truth.log[number - 2]
    if (!before || writer.startsWith('repeater')) return
    const { sequencedDeltas, inlineBytes } = this.#limits
    const bytes = sequenced.reduce((sum, delta) => sum + delta.sizeBytes, 0)
    const left = [...truth.inbox.values()].filter(({ ulid }) => !truth.mentioned.has(ulid))
    const isFull = sequenced.length >= sequencedDeltas || left.some(({ sizeBytes }) => bytes + sizeBytes > inlineBytes)
    const old = left.find(({ createdMs }) => createdMs < before.createdMs)
    if (!isFull && old)
      throw new Violation(
        'bounded waiting',
        `entry ${number} of ${truth.path} leaves ${old.ulid}, older than the one before`,
      )
  }

  /** @param records null: the delta is to be refused */
  #checkTaken(key: string, mention: SequencedDelta, records: readonly RecordOp[] | null): void {
    const fail = (what: string) => new Violation('sequencing takes', `${key} takes ${mention.key}: ${what}`)
    if ((mention.refused !== undefined) !== (records === null))
      throw fail(records === null ? 'it had to be refused' : `it was refused: ${mention.refused}`)
    if (records === null) return
    const { taken } = mention
    this.marks.hit(taken ? 'delta copied' : 'delta taken inline')
    const copy = taken && this.bucket.peek(taken.key)
    if (taken && !copy) throw fail(`${taken.key} does not exist`)
    const held = copy ? decodeDelta(copy.body, mention.key).records : mention.records
    if (!isDeepStrictEqual(held, records)) throw fail('it holds other records')
  }

  #resetTo(truth: CollectionTruth, manifestKey: string, number: number): ModelState {
    if (number - 1 > truth.watermark) this.marks.hit('reset over unfolded entries')
    else this.marks.hit('reset')
    if (manifestKey === '') return emptyState
    const target = this.manifests.get(manifestKey)
    if (!target || target.path !== truth.path)
      throw new Violation('resets', `entry ${number} of ${truth.path} resets to ${manifestKey}, which is unknown`)
    const pinned = truth.current?.manifest.pins.some((pin) => pin.manifestKey === manifestKey)
    if (!pinned && truth.current?.key !== manifestKey)
      throw new Violation('resets', `entry ${number} of ${truth.path} resets to ${manifestKey}, which nothing keeps`)
    return truth.state(target.manifest.watermark)
  }

  #noteMarkers(truth: CollectionTruth, records: readonly RecordOp[], where: string): void {
    for (const { id } of records) {
      if (!id.startsWith(MARKER)) continue
      const before = truth.applied.get(id)
      if (before !== undefined)
        throw new Violation('applied once', `write ${id} stands in ${before} and again in ${where} of ${truth.path}`)
      truth.applied.set(id, where)
    }
  }

  #delta(truth: CollectionTruth, ulid: string, key: string, object: StoredObject): void {
    if (truth.inbox.has(ulid)) {
      this.marks.hit('inbox delta landed again after its deletion')
      return
    }
    let records: readonly RecordOp[] | null = null
    if (object.body.length <= this.#limits.deltaBytes)
      try {
        const delta = decodeDelta(object.body, key)
        if (delta.collection === null || delta.collection === truth.path) records = delta.records
      } catch (error) {
        this.marks.hit(`bad delta in the inbox (${(error as { code?: string }).code ?? 'error'})`)
      }
    truth.inbox.set(ulid, { ulid, etag: object.etag, createdMs: this.#nowMs(), sizeBytes: object.body.length, records })
  }

  #manifest(path: string, key: string, object: StoredObject): void {
    const stored = decodeManifest(object.body, key)
    const lists: string[] = []
    for (const field of LIST_FIELDS) {
      const list = stored[field]
      if (Array.isArray(list)) continue
      lists.push(list.object.key)
      const body = this.bucket.peek(list.object.key)?.body
      if (!body) throw new Violation('whole commits', `${key} names ${list.object.key}, which does not exist`)
      ;(stored as unknown as Record<ListField, unknown>)[field] = decodeChecked(body, list.object.key)
    }
    this.manifests.set(key, { key, path, manifest: stored as unknown as Manifest, lists })
  }

  #commit(truth: CollectionTruth, key: string, object: StoredObject, by: string): void {
    const manifestKey = decodePointer(object.body, key)
    const published = this.manifests.get(manifestKey)
    if (!published || !this.bucket.peek(manifestKey))
      throw new Violation('whole commits', `${by} moved ${key} to ${manifestKey}, which does not exist`)
    const { manifest } = published
    if (truth.commits.length === 0 && manifest.kind === 'fork') this.#inherit(truth, manifest)
    if (manifest.kind === 'close' && truth.end === 0) {
      this.marks.hit('stalled fork ended by a tombstone')
      truth.closed = true
    }
    checkCommit(this, truth, published, by, this.#nowMs())
    truth.commits.push({ atMs: this.#nowMs(), by, published })
    this.marks.hit(`commit: ${manifest.kind}`)
    const indexed = manifest.segments.filter(({ segment }) => segment.order === 'cluster').length
    if (indexed > 0) this.marks.hit(`indexed segments published: ${manifest.kind}`, indexed)
  }

  #inherit(truth: CollectionTruth, manifest: Manifest): void {
    this.marks.hit('fork published')
    const [owner] = manifest.owners
    if (!owner) return
    const source = this.manifests.get(owner.manifestKey)
    if (!source) throw new Violation('forks', `${truth.path} is a fork of ${owner.manifestKey}, which is unknown`)
    truth.base = this.of(source.path).state(source.manifest.watermark)
  }

  reachable(current: TrueManifest | undefined): ReadonlySet<string> {
    if (!current) return NOTHING
    // Manifests never change, and neither does what they name.
    const known = this.#reachable.get(current)
    if (known) return known
    const keys = new Set<string>()
    for (const key of [current.key, ...current.manifest.pins.map((pin) => pin.manifestKey)]) {
      const pinned = this.manifests.get(key)
      if (!pinned) throw new Violation('pins', `${current.key} pins ${key}, which is unknown`)
      keys.add(key)
      for (const list of pinned.lists) keys.add(list)
      for (const object of objectsOf(pinned.manifest)) keys.add(object.key)
    }
    this.#reachable.set(current, keys)
    return keys
  }
}
