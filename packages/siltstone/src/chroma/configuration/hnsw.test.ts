/** Legacy metadata, with what a real Chroma answered: `test/chroma-answers/run.sh` asked it. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseBody } from '../wire/json-body.ts'
import { DEFAULT_HNSW, legacyHnsw } from './hnsw.ts'

interface Golden {
  chroma: string
  answers: [metadata: string, status: number, answer: Record<string, unknown>][]
}

const golden = JSON.parse(readFileSync(new URL('../golden/hnsw.json', import.meta.url), 'utf8')) as Golden

it('the recorded answers are of both kinds', () => {
  const refused = golden.answers.filter(([, status]) => status === 400).length
  expect(refused).toBeGreaterThan(30)
  expect(golden.answers.length - refused).toBeGreaterThan(30)
})

it.each(golden.answers)('%s is answered as Chroma answers it (%i)', (metadata, status, answer) => {
  const read = () => parseBody(new TextEncoder().encode(`{"metadata":${metadata}}`)).optional('metadata', legacyHnsw)
  if (status === 200) expect({ ...DEFAULT_HNSW, ...read() }).toMatchObject(answer)
  else expect(read).toThrow(expect.objectContaining({ kind: 'invalid', message: answer['message'] }) as Error)
})
