/** How the processing of all buckets of a place stands, for the HTTP API of the server. */
import {
  type BlobBuckets,
  type Clock,
  invalid,
  isSiltstoneError,
  notFound,
  type ObjectStates,
  type ObjectStatesPage,
  type ObjectStatesQuery,
  type ObjectStatus,
  type ObjectStore,
} from 'siltstone/internal'
import type { Notify } from './notifying-buckets.ts'
import { ownedBuckets, type StateStore } from './state-store.ts'
import { ObjectTracker, type ReplayFilter, type StatusPosition } from './tracker.ts'

export interface StatesDoorOptions {
  buckets: BlobBuckets
  /** Whether the states of a bucket are to be told; others may be another worker's. Default: all. */
  owns?: (bucket: string) => Promise<boolean>
  states: StateStore
  /** Where the worker keeps its rules. */
  store: ObjectStore
  notify: Notify
  clock: Clock
  processing: string
  /** As of `TrackerOptions`. */
  looksAtMost?: number
}

interface Cursor extends StatusPosition {
  bucket: string
}

export class StatesDoor implements ObjectStates {
  readonly #options: StatesDoorOptions

  constructor(options: StatesDoorOptions) {
    this.#options = options
  }

  get processing(): string {
    return this.#options.processing
  }

  /** Also those that were deleted and of which states are left. */
  async buckets(): Promise<string[]> {
    const { buckets, states, owns } = this.#options
    const there = (await buckets.listBuckets()).map(({ name }) => name)
    return [...new Set([...there, ...(await ownedBuckets(states, owns))])].sort()
  }

  async page({ bucket, prefix = '', progress, limit, cursor }: ObjectStatesQuery): Promise<ObjectStatesPage> {
    const start = cursor === undefined ? undefined : parseCursor(cursor)
    if (start !== undefined && bucket !== undefined && start.bucket !== bucket) throw badCursor()
    const names = bucket === undefined ? await this.buckets() : [await this.#known(bucket)]
    const first = start?.bucket ?? ''
    const left = names.filter((name) => name >= first)
    const [name] = left
    if (name === undefined) return { objects: [], cursor: null }
    const at: StatusPosition = start?.bucket === name ? start : { phase: 'objects' }
    const page = await this.#tracker(name).page({ prefix, limit, at, ...(progress && { progress }) })
    const next = page.next === undefined ? nextBucket(left) : { bucket: name, ...page.next }
    return { objects: page.statuses, cursor: next === undefined ? null : cursorText(next) }
  }

  async status(bucket: string, key: string): Promise<ObjectStatus> {
    return this.#tracker(await this.#known(bucket)).status(key)
  }

  async replay(bucket: string, filter: ReplayFilter): Promise<number> {
    return this.#tracker(await this.#known(bucket)).replay(filter)
  }

  #tracker(bucket: string): ObjectTracker {
    return new ObjectTracker({ ...this.#options, bucket, blobs: this.#options.buckets.bucket(bucket) })
  }

  async #known(bucket: string): Promise<string> {
    if ((await this.buckets()).includes(bucket)) return bucket
    throw notFound('no-such-bucket', `There is no bucket ${JSON.stringify(bucket)}.`, { field: 'bucket' })
  }
}

const nextBucket = ([, name]: readonly string[]): Cursor | undefined =>
  name === undefined ? undefined : { bucket: name, phase: 'objects' }

const cursorText = ({ bucket, phase, after }: Cursor): string =>
  Buffer.from(JSON.stringify([bucket, phase, ...(after === undefined ? [] : [after])]), 'utf8').toString('base64url')

/** @throws SiltstoneError `invalid` (bad-cursor) */
function parseCursor(text: string): Cursor {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    const [bucket, phase, after] = Array.isArray(value) ? (value as unknown[]) : []
    const isPosition = (phase === 'objects' || phase === 'states') && (after === undefined || typeof after === 'string')
    if (typeof bucket === 'string' && isPosition) return { bucket, phase, ...(after !== undefined && { after }) }
    throw badCursor()
  } catch (error) {
    throw isSiltstoneError(error) ? error : badCursor(error)
  }
}

const badCursor = (cause?: unknown): Error =>
  invalid('bad-cursor', 'The cursor is not that of an earlier page: begin without one.', { field: 'cursor', cause })
