import { describe, expect, it } from 'vitest'
import { unavailable } from '../errors.ts'
import { pinoLogger } from './logging.ts'

describe('pinoLogger', () => {
  it('writes one object a line, errors with their causes', () => {
    const lines: string[] = []
    const log = pinoLogger({ level: 'info', stream: { write: (line) => void lines.push(line) } })
    log.debug('hidden')
    log.info('shown', { count: 1, big: 2n ** 60n })
    log.error('failed', { error: unavailable('busy', 'try later', { cause: new Error('deep') }) })
    const [shown, failed] = lines.map((line) => JSON.parse(line) as Record<string, any>) // oxlint-disable-line typescript/no-explicit-any
    expect(lines).toHaveLength(2)
    expect(shown).toMatchObject({ msg: 'shown', count: 1, name: 'siltstone' })
    expect(failed).toMatchObject({
      msg: 'failed',
      error: { message: 'try later', code: 'busy', cause: { message: 'deep' } },
    })
  })
})
