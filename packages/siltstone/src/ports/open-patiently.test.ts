import { expect, it } from 'vitest'
import { invalid, outcomeUnknown, unavailable } from '../errors.ts'
import type { Clock } from './clock.ts'
import { systemClock } from '../host/system-clock.ts'
import { type Logger, silentLogger } from './telemetry.ts'
import { openPatiently } from './open-patiently.ts'

function parts() {
  const pausesMs: number[] = []
  const lines: string[] = []
  const clock: Clock = { ...systemClock, sleep: async (ms) => void pausesMs.push(ms) }
  const log: Logger = {
    ...silentLogger,
    warn: (event, fields) => void lines.push(`${event} ${JSON.stringify(fields)}`),
  }
  const random = { next: () => 0.999, int: (limit: number) => limit - 1, bytes: (size: number) => new Uint8Array(size) }
  return { pausesMs, lines, at: { clock, log, random: random as never } }
}

it('waits for a store that cannot be reached, with growing pauses, and says so', async () => {
  const { pausesMs, lines, at } = parts()
  let calls = 0
  const opened = await openPatiently(
    's3://bucket/p',
    async () => {
      if (++calls > 40) return 'opened'
      throw [
        unavailable('aws-unreachable', 'Cannot read it: ECONNREFUSED'),
        unavailable('throttled', 'SlowDown'),
        unavailable('probe-unclear', 'answers were lost'),
        outcomeUnknown('aws-outcome-unknown', 'It is not known whether this was done'),
      ][calls % 4] as Error
    },
    at,
  )
  expect(opened).toBe('opened')
  expect(pausesMs).toHaveLength(40)
  expect(pausesMs.slice(0, 4)).toEqual(pausesMs.slice(0, 4).toSorted((a, b) => a - b))
  expect(pausesMs[0]).toBeLessThanOrEqual(1_000)
  expect(pausesMs.at(-1)).toBeLessThanOrEqual(30_000)
  expect(pausesMs.at(-1)).toBeGreaterThan(10_000)
  expect(lines).toHaveLength(40)
  for (const line of lines) expect(line).toContain('s3://bucket/p cannot be reached: ')
})

it.each([invalid('bad-s3-url', 'no'), unavailable('access-denied', 'no credentials'), new Error('a bug')])(
  'ends at once with %s',
  async (error) => {
    const { pausesMs, at } = parts()
    await expect(openPatiently('s3://bucket/p', () => Promise.reject(error), at)).rejects.toBe(error)
    expect(pausesMs).toEqual([])
  },
)
