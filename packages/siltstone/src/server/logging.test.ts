import { describe, expect, it } from 'vitest'
import { unavailable } from '../errors.ts'
import type { LogFields, Logger } from '../ports/telemetry.ts'
import { jsonLogger, type LoggerOptions } from './logging.ts'

function linesOf(level: LoggerOptions['level'], work: (log: Logger) => void): string[] {
  const lines: string[] = []
  work(jsonLogger({ ...(level && { level }), stream: { write: (line) => void lines.push(line) } }))
  return lines.map((line) => line.replace(/"time":\d+/, '"time":0'))
}

describe('jsonLogger', () => {
  it('writes the lines that pino 10 writes', () => {
    const circle: Record<string, unknown> = { x: 1, big: 3n }
    circle['self'] = circle
    const cases: [string, LogFields | undefined][] = [
      ['values', { count: 1, big: 2n ** 60n, none: undefined, nothing: null, odd: Number.NaN, call: () => 1 }],
      ['texts', { s: 'é"\n', date: new Date(5), list: [1, undefined], 'odd"key': true }],
      ['circle', { circle }],
      ['taken "names"', { level: 9, msg: 'x' }],
      ['no error', { error: 'only text' }],
      ['nothing', undefined],
    ]
    const lines = linesOf('info', (log) => cases.forEach(([event, fields]) => log.warn(event, fields)))
    const start = '{"level":40,"time":0,"name":"siltstone"'
    expect(lines).toEqual([
      `${start},"count":1,"big":1152921504606846976,"nothing":null,"odd":null,"msg":"values"}\n`,
      `${start},"s":"é\\"\\n","date":"1970-01-01T00:00:00.005Z","list":[1,null],"odd\\"key":true,"msg":"texts"}\n`,
      `${start},"circle":{"big":3,"self":"[Circular]","x":1},"msg":"circle"}\n`,
      `${start},"level":9,"msg":"x","msg":"taken \\"names\\""}\n`,
      `${start},"error":"only text","msg":"no error"}\n`,
      `${start},"msg":"nothing"}\n`,
    ])
  })

  it('writes errors with their causes, and their own fields', () => {
    const error = unavailable('busy', 'try later', { cause: new Error('deep') })
    const [line = ''] = linesOf('info', (log) => log.error('failed', { error }))
    expect(JSON.parse(line)).toMatchObject({
      level: 50,
      msg: 'failed',
      error: {
        type: 'SiltstoneError',
        message: 'try later',
        stack: expect.stringContaining('logging.test') as string,
        kind: 'unavailable',
        code: 'busy',
        cause: { type: 'Error', message: 'deep' },
      },
    })
  })

  it('leaves out what is below its level', () => {
    const all = (log: Logger) => {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('said')
    }
    const levels = (level?: LoggerOptions['level']) =>
      linesOf(level, all).map((line) => (JSON.parse(line) as { level: number }).level)
    expect(levels('debug')).toEqual([20, 30, 40, 50])
    expect(levels()).toEqual([30, 40, 50])
    expect(levels('error')).toEqual([50])
    expect(levels('silent')).toEqual([])
  })
})
