import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBody, parseBodyInSlices } from './json-body.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const pause = async () => {}

const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('1.0', '-0', '1e3', '12345678901234567', '0.10'),
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((value) => JSON.stringify(value.toWellFormed())),
  fc.constantFrom('"\\ud83d\\ude00"', '"a\\\\"', '"\\"]},{["', '"ä€😀"', '"__proto__"', '""'),
)
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    number,
    text,
    fc.constantFrom('null', 'true', 'false'),
    fc.array(tie('value'), { maxLength: 8 }).map((items) => `[${items.join(' , ')}]`),
    fc
      .array(fc.tuple(text, tie('value')), { maxLength: 6 })
      .map((entries) => `{ ${entries.map((entry) => entry.join(':\n')).join(',')}}`),
  ),
}))
const key = fc.oneof(text, fc.constantFrom('"embeddings"', '"metadatas"', '"where"'))
const body = fc
  .array(fc.tuple(key, value), { maxLength: 6 })
  .map((entries) => ` {${entries.map((entry) => entry.join(' : ')).join(' ,')} } `)

/** Vectors of large bodies are 32-bit floats. */
const rounded = (value: unknown): unknown => {
  if (!Array.isArray(value) || value.length === 0) return value
  return value.every((number) => typeof number === 'number') ? Float32Array.from(value) : value
}
const fieldsOf = (fields: ReturnType<typeof parseBody>) =>
  [...fields.keys].map((name) => {
    const value = fields.raw(name)
    return [name, name === 'embeddings' && Array.isArray(value) ? value.map(rounded) : value]
  })

/** Whether the text is JSON in which no object has a key twice. */
function keysDiffer(text: string): boolean {
  try {
    const written = (text.match(/"(?:[^"\\]|\\.)*"\s*:?/g) ?? []).filter((token) => token.endsWith(':'))
    return written.length === keyCount(JSON.parse(text))
  } catch {
    return false
  }
}

function keyCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const values: unknown[] = Object.values(value)
  return values.reduce<number>((sum, one) => sum + keyCount(one), Array.isArray(value) ? 0 : values.length)
}

describe('parseBodyInSlices', () => {
  it('reads what parseBody reads, in small slices', async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.integer({ min: 30, max: 90 }), async (json, sliceBytes) => {
        expect(fieldsOf(await parseBodyInSlices(bytes(json), pause, { sliceBytes }))).toEqual(
          fieldsOf(parseBody(bytes(json))),
        )
      }),
    )
  })

  it('refuses what parseBody refuses', async () => {
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '[', 'x', '\\', '1'),
        fc.integer({ min: 30, max: 90 }),
        async (json, at, char, sliceBytes) => {
          const cut = 2 + (at % (json.length - 2))
          const broken = json.slice(0, cut) + char + json.slice(cut + 1)
          const outcome = async (parse: () => unknown) => {
            try {
              return fieldsOf((await parse()) as ReturnType<typeof parseBody>)
            } catch (error) {
              return (error as { code: string }).code
            }
          }
          // The value of a key that is repeated later is not looked at by `parseBody`.
          fc.pre((await outcome(() => parseBody(bytes(broken)))) === 'bad-json' || keysDiffer(broken))
          const sliced = await outcome(() => parseBodyInSlices(bytes(broken), pause, { sliceBytes }))
          expect(sliced, broken).toEqual(await outcome(() => parseBody(bytes(broken))))
        },
      ),
      { numRuns: 300 },
    )
  })

  it.each([
    ['ids', `{"ids":[${'"some-id-0001",'.repeat(4_000)}"x"]}`],
    ['vectors', `{"embeddings":[${`[${'0.25,'.repeat(50)}1],`.repeat(200)}[1]]}`],
    ['one vector', `{"embeddings":[[${'0.25,'.repeat(10_000)}1]]}`],
    ['operands', `{"where":{"$and":[{"k":{"$in":[${'123,'.repeat(15_000)}1]}}]}}`],
    ['exact operands', `{"where":{"k":{"$in":[${'1.0,'.repeat(15_000)}1]}}}`],
    ['one text', `{"documents":["${'ä\\n😀'.repeat(8_000)}"]}`],
    ['metadata', `{"metadatas":[{${Array.from({ length: 3_000 }, (_, i) => `"key ${i}":${i}`).join()}}]}`],
    ['keys', `{${Array.from({ length: 5_000 }, (_, i) => `"key ${i}":${i}`).join()}}`],
  ])('pauses after each slice of %s', async (_, json) => {
    const sliceBytes = 1_000
    let pauses = 0
    const counted = async () => void pauses++
    const fields = await parseBodyInSlices(bytes(json), counted, { sliceBytes })
    expect(fieldsOf(fields)).toEqual(fieldsOf(parseBody(bytes(json))))
    // A slice ends with the element that exceeds it.
    expect(pauses).toBeGreaterThan(bytes(json).length / sliceBytes / 2)
  })

  it('pauses as often while it parses a field again for a number at its end', async () => {
    const sliceBytes = 1_000
    const json = `{"where":{"k":{"$in":[${'123,'.repeat(15_000)}1.0]}}}`
    let pauses = 0
    const fields = await parseBodyInSlices(bytes(json), async () => void pauses++, { sliceBytes })
    expect(fieldsOf(fields)).toEqual(fieldsOf(parseBody(bytes(json))))
    // Once with the native parser, once with the exact one.
    expect(pauses).toBeGreaterThan((1.5 * json.length) / sliceBytes)
  })

  it('keeps nothing of fields that the endpoint does not read, and still refuses what is no JSON', async () => {
    const options = { known: new Set(['ids']), sliceBytes: 100 }
    for (const value of [
      `[${'"y",'.repeat(500)}0]`,
      `{"a":[${'1.0,'.repeat(500)}1],"b":{"c":"${'z'.repeat(500)}"}}`,
      `"${'ä'.repeat(500)}"`,
    ]) {
      const json = (at: string) => bytes(`{"more":${value}${at},"ids":["a"],"${'k'.repeat(200)}":1}`)
      const fields = await parseBodyInSlices(json(''), pause, options)
      expect([...fields.keys]).toEqual(['more', 'ids', 'k'.repeat(200)])
      expect(fields.raw('ids')).toEqual(['a'])
      // Of a small body as well: an endpoint reads only what its schema has.
      for (const all of [fields, parseBody(json(''), options.known)])
        expect(() => all.raw('more')).toThrow('the schema of the body has no field more')
      await expect(parseBodyInSlices(json('x'), pause, options)).rejects.toMatchObject({ code: 'bad-json' })
    }
  })

  it('keeps the length of a list that is too long, and no more elements than show that', async () => {
    const texts = (count: number) => bytes(`{"ids":[${'"id",'.repeat(count - 1)}"id"]}`)
    const idsIn = async (count: number) =>
      (await parseBodyInSlices(texts(count), pause, { maxElements: 1_000, sliceBytes: 100 })).raw('ids') as string[]
    expect(await idsIn(1_000)).toEqual(Array(1_000).fill('id'))
    const ids = await idsIn(5_000)
    expect(ids).toHaveLength(5_000)
    expect(Object.keys(ids)).toHaveLength(1_001)
    const vector = bytes(`{"embedding":[${'1,'.repeat(4_999)}1]}`)
    const numbers = await parseBodyInSlices(vector, pause, { maxElements: 1_000, sliceBytes: 100 })
    expect(numbers.raw('embedding')).toEqual(Array(5_000).fill(1))
    const nested = bytes(`{"where":{"$in":[${'1,'.repeat(4_999)}1]}}`)
    const fields = await parseBodyInSlices(nested, pause, { maxElements: 1_000, sliceBytes: 100 })
    expect(fields.raw('where')).toEqual({ $in: Array(5_000).fill(1) })
  })

  it('gives vectors of a large body as 32-bit floats, and leaves what is none as it is', async () => {
    const json = '{"embeddings":[[0.1,2],null,"AAAAAA==",[],["x",1],[[1]],{"a":1},3]}'
    const raw = (await parseBodyInSlices(bytes(json), pause, { sliceBytes: 30 })).raw('embeddings')
    expect(raw).toEqual([Float32Array.of(0.1, 2), null, 'AAAAAA==', [], ['x', 1], [[1]], { a: 1 }, 3])
  })

  it('does not recurse without bound', async () => {
    const deep = `{"where":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    await expect(parseBodyInSlices(bytes(deep), pause, { sliceBytes: 1_000 })).rejects.toMatchObject({
      code: 'bad-json',
    })
  })
})
