/** Compares with what Chroma's clients answered: `test/chroma-answers/run.sh` writes the golden files. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { SparseVector } from '../model/record.ts'
import { type ChromaClient, chromaBm25Document, chromaBm25Query, parseChromaBm25Config } from './chroma-bm25.ts'
import { stemEnglish } from './english-stemmer.ts'

function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'))
}
const stems = golden('english-stems.json') as [word: string, classic: string, current: string][]
const cases = golden('chroma-bm25.json') as ({ text: string } & Record<ChromaClient, SparseVector>)[]
const config = parseChromaBm25Config(undefined)

describe('stems of English words', () => {
  it('are those of both clients', () => {
    expect(stems.length).toBeGreaterThan(3_000)
    expect(stems.filter(([, classic, current]) => classic !== current).length).toBeGreaterThan(500)
    expect(stems.map(([word]) => [word, stemEnglish(word, 'classic'), stemEnglish(word, 'current')])).toEqual(stems)
  })
})

describe('vectors of chroma_bm25', () => {
  it.each<ChromaClient>(['python', 'javascript'])('are those of the client in %s, to the bit', (client) => {
    for (const it of cases) expect(chromaBm25Document(it.text, config, [client]), it.text).toEqual(it[client])
  })

  it('of both clients have the dimensions of each, and the length of one', () => {
    for (const { text, python, javascript } of cases) {
      const { indices, values } = chromaBm25Document(text)
      expect(indices).toEqual([...new Set([...python.indices, ...javascript.indices])].sort((a, b) => a - b))
      if (python.indices.join() === javascript.indices.join()) expect(values).toEqual(python.values)
    }
  })

  it('name the stems when the configuration asks for it', () => {
    const named = chromaBm25Document('Quick foxes', parseChromaBm25Config({ include_tokens: true }))
    expect(named.tokens).toEqual(['quick', 'fox'])
    expect(chromaBm25Document('Quick foxes').tokens).toBeUndefined()
  })

  it('follow the configuration', () => {
    const own = parseChromaBm25Config({ k: 2, b: 0, avg_doc_length: 10, token_max_length: 3, stopwords: ['FOX'] })
    expect(chromaBm25Document('the fox the dogs ran', own).values).toEqual([(1 * 3) / 3, (2 * 3) / 4])
  })

  it('of a query give a document that is made here the same product as the vectors of one client', () => {
    const text = 'added naïve quick'
    const query = chromaBm25Query(text)
    expect(query.indices.length).toBe(5)
    const value = chromaBm25Document(text, config, ['python']).values[0] as number
    expect(query.values.reduce((sum, it) => sum + it, 0)).toBeCloseTo(3 * value, 12)
  })

  it.each([
    [7, 'config is 7'],
    [{ k: 'x' }, 'config.k is "x"'],
    [{ avg_doc_length: 0 }, 'config.avg_doc_length is 0'],
    [{ stopwords: 'the' }, 'config.stopwords is "the"'],
    [{ b: -1 }, 'config.b is -1'],
  ])('cannot be made with the configuration %j', (value, message) => {
    expect(() => parseChromaBm25Config(value)).toThrow(message)
  })
})
