import { expect, it } from 'vitest'
import { answerBody } from './answer-body.ts'

function* pieces(count: number, made: string[] = []): Generator<string> {
  for (let i = 0; i < count; i++) {
    made.push('x')
    yield `piece ${i} ä😀;`
  }
}

it('sends small texts whole', () => {
  expect(answerBody('{}', async () => {})).toBe('{}')
  expect(answerBody(pieces(3), async () => {})).toBe([...pieces(3)].join(''))
  expect(answerBody([], async () => {})).toBe('')
})

it('makes a large text in parts, with a pause after each, and no sooner than it is taken', async () => {
  const made: string[] = []
  let pauses = 0
  let mostBetween = 0
  let before = 0
  const pause = async () => {
    mostBetween = Math.max(mostBetween, made.length - before)
    before = made.length
    pauses++
  }
  const body = answerBody(pieces(1_000, made), pause, 100) as ReadableStream<Uint8Array>
  await Promise.resolve()
  expect(made.length).toBeLessThan(40)
  expect(await new Response(body).text()).toBe([...pieces(1_000)].join(''))
  expect(pauses).toBeGreaterThan(100)
  expect(mostBetween).toBeLessThan(12)
})
