import { describe, expect, it } from 'vitest'
import { notFound } from '../errors.ts'
import { watch } from './watch.ts'

/** Looks see these states, one after another; an empty one fails. Then the watching ends. */
async function watched(states: readonly string[], publish: (n: number) => Promise<void> = async () => undefined) {
  const stop = new AbortController()
  const slept: number[] = []
  const published: string[] = []
  const errors: string[] = []
  let looks = 0
  let now = ''
  await watch({
    everyMs: 1_000,
    signal: stop.signal,
    clock: {
      sleep: async (ms, signal) => {
        slept.push(ms)
        if (looks < states.length) return
        stop.abort()
        signal?.throwIfAborted()
      },
    },
    look: async () => {
      now = states[looks++] ?? ''
      if (now === '') throw notFound('no-pages', 'there is no page')
      return now
    },
    publish: async () => {
      await publish(published.length)
      published.push(now)
    },
    onError: async ({ message }) => void errors.push(message),
  })
  return { published, errors, slept }
}

describe('watching what is published', () => {
  it('publishes at once, and again when it changed and stayed so for two looks', async () => {
    const { published, slept } = await watched(['a', 'a', 'b', 'c', 'c', 'c', 'a', 'a'])
    expect(published).toEqual(['a', 'c', 'a'])
    expect(new Set(slept)).toEqual(new Set([1_000]))
  })

  it('does not publish what changed back', async () => {
    expect((await watched(['a', 'b', 'a', 'a'])).published).toEqual(['a'])
  })

  it('tells a failure once, and tries again', async () => {
    const fails = async (n: number) => {
      if (n === 1 && left-- > 0) throw notFound('no-pages', 'not yet')
    }
    let left = 3
    const { published, errors } = await watched(['a', '', '', 'b', 'b', 'b', 'b', 'b'], fails)
    expect(published).toEqual(['a', 'b'])
    expect(errors).toEqual(['there is no page', 'not yet'])
  })

  it('ends with the failure of the first publication, and with faults of the program', async () => {
    await expect(watched([''])).rejects.toMatchObject({ code: 'no-pages' })
    const broken = async (n: number) => {
      if (n === 1) throw new TypeError('a fault')
    }
    await expect(watched(['a', 'b', 'b'], broken)).rejects.toThrow('a fault')
  })

  it('ends quietly when it is told to during a publication', async () => {
    const stop = new AbortController()
    const publish = async () => {
      stop.abort()
      stop.signal.throwIfAborted()
    }
    const clock = { sleep: async () => undefined }
    const look = async () => 'a'
    const onError = async () => undefined
    await expect(watch({ clock, signal: stop.signal, everyMs: 1, look, publish, onError })).resolves.toBeUndefined()
  })
})
