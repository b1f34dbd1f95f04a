/** Patterns and texts in many scripts, with what Chroma answered: `test/chroma-answers/run.sh` asked it. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compileRegex } from './regex.ts'

interface Golden {
  chroma: string
  texts: string[]
  /** For each pattern the texts that match, as bits of a hexadecimal number, or Chroma's error. */
  answers: [pattern: string, answer: string | { error: string }][]
}

const golden = JSON.parse(readFileSync(new URL('golden/rust-regex.json', import.meta.url), 'utf8')) as Golden

/**
 * Chroma's filter passes patterns on to SQLite, where these take more than 10 MiB as a program and end as an internal error.
 * Here they are valid.
 */
const INTERNAL = /^Error executing plan: Internal error/

it('the recorded answers are as many as they should be', () => {
  expect(golden.chroma).toMatch(/^1\.5\.\d+$/)
  expect(golden.texts.length).toBeGreaterThanOrEqual(60)
  expect(golden.answers.length).toBeGreaterThanOrEqual(300)
})

function answerOf(pattern: string): string {
  let test: (text: string) => boolean
  try {
    test = compileRegex(pattern)
  } catch (error) {
    expect(error).toMatchObject({ kind: 'invalid', code: 'regex-syntax', field: 'where_document' })
    return (error as Error).message
  }
  const bits = golden.texts.reduce((sum, text, i) => (test(text) ? sum | (1n << BigInt(i)) : sum), 0n)
  return textsOf(bits.toString(16))
}

function textsOf(bits: string): string {
  const number = BigInt(`0x${bits}`)
  return JSON.stringify(golden.texts.filter((_, i) => ((number >> BigInt(i)) & 1n) === 1n))
}

it.each(golden.answers)('%j is answered as Chroma answers it', (pattern, answer) => {
  if (typeof answer === 'string') expect(answerOf(pattern)).toBe(textsOf(answer))
  else if (!INTERNAL.test(answer.error)) expect(answerOf(pattern)).toBe(answer.error)
  else expect(() => compileRegex(pattern)).not.toThrow()
})
