/** Steps of a run of workers, uploads and deletions, and what must be true after each of them. */
import { expect } from 'vitest'
import { ProcessingRules } from '../rules.ts'
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
  '',
] as const

export type Step =
  | { do: 'put' | 'delete' | 'replay'; key: number; content: number }
  /** A month goes by, and a sweeper deletes what is due. `told`: the messages about it are not lost. */
  | { do: 'expire'; told: boolean }
  | { do: 'step'; actor: number; times: number; choice: number }
  | { do: 'kill' | 'begin'; actor: number; key: number }
  | { do: 'stepTo'; actor: number; request: string }
  | { do: 'wait'; ms: number }

export const ACTORS = 3

/** What the records of an object must be: its lines, none if one of them is refused. */
function expected(content: string | undefined): string[] {
  const lines = content?.split('\n') ?? []
  return lines.includes('fail') ? [] : lines.filter((line) => line !== 'thumbnail' && line !== '').sort()
}

export class Run {
  readonly world: ProcessWorld
  readonly actors: Actor[]
  readonly model = new Map<string, string>()
  /** Content of objects that expired, and whose records are to stay. */
  readonly expired = new Map<string, string>()
  /**
   * Expired ones whose records may also be gone: a message of an earlier deletion was still to come, or somebody asked for
   * another run before any worker knew of the expiry.
   */
  readonly unsure = new Set<string>()
  /** Messages that no worker has settled yet. */
  readonly messages: { key: string; deleted: 'removed' | 'expired' }[] = []
  /** Content by version, which here is the ETag. */
  readonly versions = new Map<string, string>()

  constructor(world: ProcessWorld) {
    this.world = world
    world.rules = RULES
    this.actors = Array.from({ length: ACTORS }, (_, k) => world.actor(`worker ${k}`))
  }

  async apply(step: Step): Promise<void> {
    const { world, actors, model } = this
    if (step.do === 'wait') world.clock.now += step.ms
    else if (step.do === 'step') {
      for (let k = 0; k < step.times; k++) await (actors[step.actor] as Actor).step(step.choice)
    } else if (step.do === 'stepTo') await (actors[step.actor] as Actor).stepTo(step.request)
    else if (step.do === 'kill') {
      ;(actors[step.actor] as Actor).kill()
      actors[step.actor] = world.actor('next')
    } else if (step.do === 'begin') {
      const one = actors[step.actor] as Actor
      if (one.isIdle) this.#begin(one, KEYS[step.key] as string)
    } else if (step.do === 'expire') await this.#expire(step.told)
    else {
      const name = KEYS[step.key] as string
      if (step.do === 'put') {
        const content = CONTENTS[step.content] as string
        const put = await world.put(name, content)
        if (put.status === 'ok') this.versions.set(put.blob.etag, content)
        model.set(name, content)
        this.expired.delete(name)
        this.unsure.delete(name)
      } else if (step.do === 'delete') {
        await world.bucket.delete(name)
        this.messages.push({ key: name, deleted: 'removed' })
        model.delete(name)
        // Also the records of an object that expired before.
        this.expired.delete(name)
      } else {
        await world.replay(name)
        if (this.expired.has(name)) this.unsure.add(name)
      }
    }
  }

  /** A message is delivered again until a worker has settled it, by whoever comes next. */
  #begin(one: Actor, key: string): void {
    const message = this.messages.find((message) => message.key === key)
    const settled = () => {
      const at = message === undefined ? -1 : this.messages.indexOf(message)
      if (at !== -1) this.messages.splice(at, 1)
    }
    one.begin(key, { ...(message && { deleted: message.deleted }), settled })
  }

  async #expire(told: boolean): Promise<void> {
    const { world, model, messages } = this
    world.clock.now += MONTH_MS
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
    for (const [key, content] of [...model]) {
      if ((await world.bucket.head(key)).status === 'ok') continue
      model.delete(key)
      if (RULES.expiryOf(BUCKET, key)?.keepsRecords !== true) continue
      this.expired.set(key, content)
      if (this.#mayBeRemoved(key)) this.unsure.add(key)
    }
  }

  /** Of an earlier version, a message of its deletion is still to come, which then counts for the expired one. */
  #mayBeRemoved(key: string): boolean {
    return this.messages.some((message) => message.key === key && message.deleted === 'removed')
  }
}

/** What a state says is true at any time, whatever workers that stall still do. */
export async function checkStates(run: Run): Promise<void> {
  const { world, versions } = run
  const states = new StateStore(world.store, world.ids)
  for (const name of KEYS) {
    const state = (await states.read(BUCKET, name))?.state
    if (state === undefined) expect(await world.recordsOf(name)).toEqual([])
    else if (state.progress === 'expired') expect(world.rules.expiryOf(BUCKET, name)?.keepsRecords).toBe(true)
    else if (state.progress === 'done' || state.progress === 'gone' || state.progress === 'dead') {
      const content = state.progress === 'done' ? versions.get(state.object?.etag ?? '') : undefined
      await checkRecords(world, name, content, state.progress)
    }
  }
}

export async function checkSettled(run: Run): Promise<void> {
  const { world, model, expired, unsure } = run
  for (const name of unsure) if ((await world.recordsOf(name)).length === 0) expired.delete(name)
  const all = new Map([...model, ...expired])
  for (const name of KEYS) await checkRecords(world, name, all.get(name), 'settled')
  const kept = [...all.values()].filter((content) => content.includes('thumbnail')).length
  expect(await world.derived()).toHaveLength(kept)
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
