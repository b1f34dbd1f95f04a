/** Steps of a run of workers, uploads and deletions, and what must be true after each of them. */
import { expect } from 'vitest'
import { HAND_OVER_MS } from '../hand-over.ts'
import { ProcessingRules } from '../rules.ts'
import { objectIdOf, type ObjectState, TIERS } from '../state.ts'
import { StateStore } from '../state-store.ts'
import { sweep } from '../sweep.ts'
import { type Actor, BUCKET, type ProcessWorld } from './process-world.ts'

export const KEYS = ['a.txt', 'b/ü +.txt'] as const
/** Objects of the first key leave their records when they expire, those of the second do not. */
export const RULES = new ProcessingRules([
  { prefix: 'a', expireDays: 30 },
  { prefix: 'b/', expireDays: 30, onExpire: 'delete' },
])
const MONTH_MS = 31 * 24 * 3_600_000
export const CONTENTS = [
  'one',
  'one\ntwo\nthree',
  'two\nfour',
  'thumbnail\nfive',
  'fail',
  'one\nfail',
  'flaky\nsix',
  'publish\nseven\npublish\neight',
  'nine\npublish\nfail',
  'ten\npublish\nflaky',
  '',
  'media\nseven',
  'slow\none',
  'media\nslow\nflaky',
  'eleven\npublish\nslow\ntwelve',
] as const

export type Step =
  | { do: 'put' | 'delete' | 'replay'; key: number; content: number }
  /**
   * A month goes by, and what is due is deleted: by a sweeper, which leaves what is not settled, or by the store itself, as the
   * lifecycle of S3 does. `told`: the messages about it are not lost.
   */
  | { do: 'expire'; by: 'sweep' | 'store'; told: boolean }
  | { do: 'step'; actor: number; times: number; choice: number }
  | { do: 'kill' | 'begin'; actor: number; key: number }
  | { do: 'stepTo'; actor: number; request: string }
  | { do: 'wait'; ms: number }
  /** What a worker of another tier was told first is delivered to one that is idle, or gets lost. */
  | { do: 'deliver'; lost: boolean }
  /** The next worker that tells another tier is refused, as a task for which there is no room. */
  | { do: 'refuse' }

/** One of each tier. */
export const ACTORS = TIERS.length

interface Message {
  key: string
  deleted: 'removed' | 'expired'
}

/** What the records of an object must be: its lines, none if one of them is refused. */
function expected(content: string | undefined): string[] {
  const lines = content?.split('\n') ?? []
  return lines.includes('fail') ? [] : lines.filter((line) => !['thumbnail', 'publish', ''].includes(line)).sort()
}

export class Run {
  readonly world: ProcessWorld
  readonly actors: Actor[]
  readonly model = new Map<string, string>()
  /** Content of objects that expired, and whose records are to stay. */
  readonly expired = new Map<string, string>()
  /**
   * Expired ones whose records may also be gone: a message of an earlier deletion was still to come, or no state had said yet
   * that the last version was done.
   */
  readonly unsure = new Set<string>()
  /** Those of them whose last version no worker had begun: the records of the one before may stay as well. */
  readonly unseen = new Set<string>()
  /** What the message said that an actor works on. */
  readonly #inHand = new Map<Actor, Message>()
  /** Messages that no worker has settled yet. */
  readonly messages: Message[] = []
  /** Content by version, which here is the ETag. */
  readonly versions = new Map<string, string>()
  /** By key the ETag that its state is about, if that was done once. A replay later changes nothing of that. */
  readonly done = new Map<string, string>()
  /** By key: the run after which a tier was told last, and until when the key is in its hands. */
  readonly told = new Map<string, { run: number; untilMs: number }>()

  constructor(world: ProcessWorld) {
    this.world = world
    world.rules = RULES
    this.actors = TIERS.map((tier) => world.actor(`worker ${tier}`, tier))
  }

  async apply(step: Step): Promise<void> {
    const { world, actors, model } = this
    if (step.do === 'wait') world.clock.now += step.ms
    else if (step.do === 'step') {
      for (let k = 0; k < step.times; k++) await (actors[step.actor] as Actor).step(step.choice)
    } else if (step.do === 'stepTo') await (actors[step.actor] as Actor).stepTo(step.request)
    else if (step.do === 'kill') {
      ;(actors[step.actor] as Actor).kill()
      actors[step.actor] = world.actor('next', TIERS[step.actor])
    } else if (step.do === 'begin') {
      const one = actors[step.actor] as Actor
      if (one.isIdle) this.#begin(one, KEYS[step.key] as string)
    } else if (step.do === 'refuse') world.refusesNextOrder = true
    else if (step.do === 'deliver') this.#deliver(step.lost)
    else if (step.do === 'expire') await this.#expire(step.by, step.told)
    else {
      const name = KEYS[step.key] as string
      if (step.do === 'put') {
        const content = CONTENTS[step.content] as string
        const put = await world.put(name, content)
        if (put.status === 'ok') this.versions.set(put.blob.etag, content)
        model.set(name, content)
        this.expired.delete(name)
        this.unsure.delete(name)
        this.unseen.delete(name)
      } else if (step.do === 'delete') {
        await world.bucket.delete(name)
        this.messages.push({ key: name, deleted: 'removed' })
        model.delete(name)
        // Also the records of an object that expired before.
        this.expired.delete(name)
      } else await world.replay(name)
    }
  }

  #deliver(isLost: boolean): void {
    const { orders } = this.world
    const at = orders.findIndex(({ tier }) => isLost || this.actors.some((one) => one.tier === tier && one.isIdle))
    const [order] = at === -1 ? [] : orders.splice(at, 1)
    const one = this.actors.find(({ tier, isIdle }) => tier === order?.tier && isIdle)
    if (order !== undefined && one !== undefined && !isLost) this.#begin(one, order.key)
  }

  /** A message is delivered, to any worker, until one has settled it. */
  #begin(one: Actor, key: string): void {
    const message = this.messages.find((message) => message.key === key)
    if (message === undefined) this.#inHand.delete(one)
    else this.#inHand.set(one, message)
    const settled = () => {
      const at = message === undefined ? -1 : this.messages.indexOf(message)
      if (at !== -1) this.messages.splice(at, 1)
    }
    one.begin(key, { ...(message && { deleted: message.deleted }), settled })
  }

  async #expire(by: 'sweep' | 'store', told: boolean): Promise<void> {
    const { world, model } = this
    world.clock.now += MONTH_MS
    const states = new StateStore(world.store, world.ids)
    const etags = new Map<string, string>()
    for (const key of model.keys()) {
      const head = await world.bucket.head(key)
      if (head.status === 'ok') etags.set(key, head.blob.etag)
    }
    if (by === 'sweep') await this.#sweep(told)
    else
      for (const key of model.keys()) {
        await world.bucket.delete(key)
        if (told) this.messages.push({ key, deleted: 'expired' })
      }
    for (const [key, content] of [...model]) {
      if ((await world.bucket.head(key)).status === 'ok') continue
      model.delete(key)
      if (RULES.expiryOf(BUCKET, key)?.keepsRecords !== true) continue
      this.expired.set(key, content)
      if (this.#mayBeRemoved(key) || this.done.get(key) !== etags.get(key)) this.unsure.add(key)
      if ((await states.read(BUCKET, key))?.state.object?.etag !== etags.get(key)) this.unseen.add(key)
    }
  }

  async #sweep(told: boolean): Promise<void> {
    const { world, messages } = this
    const states = new StateStore(world.store, world.ids)
    await sweep({
      bucket: BUCKET,
      blobs: world.bucket,
      states,
      reconciler: world.reconciler('sweeper'),
      found: async (key, deleted) => void (deleted && told && messages.push({ key, deleted })),
      onDamaged: (error) => void world.damaged.push(error),
      expiresBeforeMs: (key) => {
        const expiry = RULES.expiryOf(BUCKET, key)
        return expiry && world.clock.now - expiry.ageMs
      },
    })
  }

  /** Of an earlier version, a message of its deletion is still to come, which then counts for the expired one. */
  #mayBeRemoved(key: string): boolean {
    const inHand = this.actors.filter(({ isIdle }) => !isIdle).map((one) => this.#inHand.get(one))
    return [...this.messages, ...inHand].some((message) => message?.key === key && message.deleted === 'removed')
  }
}

/** What a state says is true at any time, whatever workers that stall still do. */
export async function checkStates(run: Run): Promise<void> {
  const { world, versions } = run
  const states = new StateStore(world.store, world.ids)
  for (const name of KEYS) {
    const state = (await states.read(BUCKET, name))?.state
    const etag = state?.object?.etag
    if (etag !== run.done.get(name)) run.done.delete(name)
    if (state?.progress === 'done' && etag !== undefined) run.done.set(name, etag)
    if (state !== undefined) checkTold(run, state)
    // Whatever is shown early, and whoever stalls or is killed.
    expect(new Set((await world.recordsOf(name)).map(({ run }) => run)).size).toBeLessThanOrEqual(1)
    if (state === undefined) expect(await world.recordsOf(name)).toEqual([])
    else if (state.progress === 'expired') expect(world.rules.expiryOf(BUCKET, name)?.keepsRecords).toBe(true)
    else if (state.progress === 'done' || state.progress === 'gone' || state.progress === 'dead') {
      const content = state.progress === 'done' ? versions.get(state.object?.etag ?? '') : undefined
      await checkRecords(world, name, content, state.progress)
    } else if (etag !== undefined && run.done.get(name) === etag)
      await checkRecords(world, name, versions.get(etag), 'processed again')
  }
}

/** While a key is in the hands of a tier, nobody else is told of it. */
function checkTold({ told, world }: Run, { bucket, key, run, progress, handOver }: ObjectState): void {
  if (progress !== 'queued' || handOver === null || handOver.untilMs === 0) return
  const before = told.get(key)
  const wasRefused = world.refused.some((id) => id.startsWith(`${objectIdOf(bucket, key)}-${run}-`))
  if (before?.run === run && before.untilMs !== handOver.untilMs && !wasRefused)
    expect(handOver.untilMs - HAND_OVER_MS).toBeGreaterThanOrEqual(before.untilMs)
  told.set(key, { run, untilMs: handOver.untilMs })
}

export async function checkSettled(run: Run): Promise<void> {
  const { world, model, expired, unsure, unseen, versions } = run
  expect(world.misplaced).toEqual([])
  for (const name of unsure) {
    const [first] = await world.recordsOf(name)
    if (first === undefined) expired.delete(name)
    else if (expired.has(name) && unseen.has(name)) expired.set(name, versions.get(`"${first.version}"`) ?? '')
  }
  const all = new Map([...model, ...expired])
  for (const name of KEYS) await checkRecords(world, name, all.get(name), 'settled')
  for (const name of KEYS) {
    const files = await world.derived(name)
    // A run that the expiry ended may have made its file beside that of the run before.
    const most = expired.has(name) ? Number.POSITIVE_INFINITY : 1
    const isMade = all.get(name)?.includes('thumbnail') === true
    expect(files.length).toBeGreaterThanOrEqual(isMade ? 1 : 0)
    expect(files.length).toBeLessThanOrEqual(isMade ? most : 0)
  }
}

async function checkRecords(
  world: ProcessWorld,
  name: string,
  content: string | undefined,
  when: string,
): Promise<void> {
  const found = await world.recordsOf(name)
  expect({ name, when, documents: found.map(({ document }) => document) }).toEqual({
    name,
    when,
    documents: expected(content),
  })
  // Nothing of the record that had the same id before.
  for (const { document, own } of found) {
    expect(own).toContain(document)
    expect(own).toHaveLength(2)
  }
}
