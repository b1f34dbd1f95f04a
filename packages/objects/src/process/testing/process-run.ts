/** Steps of a run of workers, uploads and deletions, and what must be true after each of them. */
import { expect } from 'vitest'
import { StateStore } from '../state-store.ts'
import { type Actor, BUCKET, type ProcessWorld } from './process-world.ts'

export const KEYS = ['a.txt', 'b/ü +.txt'] as const
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
  /** Content by version, which here is the ETag. */
  readonly versions = new Map<string, string>()

  constructor(world: ProcessWorld) {
    this.world = world
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
      if (one.isIdle) one.begin(KEYS[step.key] as string)
    } else {
      const name = KEYS[step.key] as string
      if (step.do === 'put') {
        const content = CONTENTS[step.content] as string
        const put = await world.put(name, content)
        if (put.status === 'ok') this.versions.set(put.blob.etag, content)
        model.set(name, content)
      } else if (step.do === 'delete') {
        await world.bucket.delete(name)
        model.delete(name)
      } else await world.replay(name)
    }
  }
}

/** What a state says is true at any time, whatever workers that stall still do. */
export async function checkStates(run: Run): Promise<void> {
  const { world, versions } = run
  const states = new StateStore(world.store, world.ids)
  for (const name of KEYS) {
    const state = (await states.read(BUCKET, name))?.state
    if (state === undefined) expect(await world.recordsOf(name)).toEqual([])
    else if (state.progress === 'done' || state.progress === 'gone' || state.progress === 'dead') {
      const content = state.progress === 'done' ? versions.get(state.object?.etag ?? '') : undefined
      await checkRecords(world, name, content, state.progress)
    }
  }
}

export async function checkSettled(run: Run): Promise<void> {
  const { world, model } = run
  for (const name of KEYS) await checkRecords(world, name, model.get(name), 'settled')
  const kept = [...model.values()].filter((content) => content.includes('thumbnail')).length
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
