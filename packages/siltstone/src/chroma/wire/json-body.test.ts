import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metadataFromJson } from '../../records/metadata-json.ts'
import { parseExact } from '../../records/exact-json.ts'
import { parseBody, readBody } from './json-body.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const metadataOf = (text: string) => metadataFromJson(parseBody(bytes(text)).raw('metadata'), 'metadata', 'add')

/** Every spelling of a number, those close to integers above all. */
const numberText = fc.oneof(
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.stringMatching(/^[0-9]{1,20}$/)).map(([whole, digits]) => `${whole}.${digits}`),
  fc
    .tuple(fc.nat(), fc.constantFrom('0', '9'), fc.nat({ max: 20 }))
    .map(([n, digit, count]) => `${n}.${digit.repeat(count + 1)}`),
  fc.tuple(fc.integer(), fc.integer({ min: -20, max: 20 })).map(([n, exponent]) => `${n}e${exponent}`),
  fc.constantFrom('-0', '-0.0', '0', '0.0', '1.0', '1E2'),
)

describe('readBody', () => {
  const open = { grow: () => {}, release: () => {} }
  const sent = (chunks: readonly Uint8Array[], announced: number): Request => {
    const body = ReadableStream.from(chunks) as ReadableStream<Uint8Array>
    const whole = () => Promise.reject(new Error('all at once'))
    const headers = new Headers({ 'content-length': String(announced) })
    return { headers, body, arrayBuffer: whole } as unknown as Request
  }
  const chunks = Array.from({ length: 40 }, (_, i) => new Uint8Array(10_000).fill(i))

  it('copies a large body chunk by chunk', async () => {
    expect(Buffer.concat([await readBody(sent(chunks, 400_000), 1e6, open)])).toEqual(Buffer.concat(chunks))
  })

  it('refuses more than was announced, and more than is taken', async () => {
    await expect(readBody(sent(chunks, 390_000), 1e6, open)).rejects.toMatchObject({
      status: 400,
      code: 'body-too-long',
    })
    await expect(readBody(sent(chunks, 400_000), 300_000, open)).rejects.toMatchObject({ status: 413 })
  })

  it('knows a body that ended early by its length', async () => {
    expect((await readBody(sent(chunks, 410_000), 1e6, open)).length).toBe(400_000)
  })
})

describe('parseBody', () => {
  it('distinguishes integers and floats like the exact parser, with either parser', () => {
    fc.assert(
      fc.property(numberText, fc.constantFrom('', ' ', '\n\t'), (number, space) => {
        const object = `{"a":${space}${number}${space},"list":[1,${space}${number}]}`
        expect(metadataOf(`{"metadata":${object}}`)).toBe(metadataFromJson(parseExact(object), 'metadata', 'add'))
      }),
      { numRuns: 3000 },
    )
  })

  it('parses searches exactly where a filter may tell integers from floats', () => {
    const rank = '"rank":{"$knn":{"query":[1.5e-7,1.0]}}'
    const isExact = (search: string) => {
      const [parsed] = parseBody(bytes(`{"searches":[{${search}}]}`)).raw('searches') as unknown[]
      return parsed instanceof Map
    }
    expect(isExact(rank)).toBe(false)
    expect(isExact(`${rank},"filter":{"year":1.0}`)).toBe(true)
    expect(isExact(`${rank},"f\\u0069lter":{"year":1.0}`)).toBe(true)
    expect(isExact('"rank":{"$knn":{"query":[0.5]}},"filter":{"year":1}')).toBe(false)
  })

  it('refuses unpaired surrogates, and only those', () => {
    for (const good of ['\\ud83d\\ude00', '\\\\ud800', 'x\\u00e9', '😀', '\\ud83d\\ude00\\ud83d\\ude00']) {
      expect(parseBody(bytes(`{"a":"${good}"}`)).raw('a')).toBe(JSON.parse(`"${good}"`))
    }
    for (const bad of [
      '\\ud800',
      '\\udc00',
      '\\ude00\\ud83d',
      '\\ud83d\\\\\\ude00',
      '\\ud83d\\ud83d\\ude00',
      '\\\\\\ud800',
    ]) {
      expect(() => parseBody(bytes(`{"a":"${bad}"}`)), bad).toThrow(/surrogate/)
    }
    fc.assert(
      fc.property(fc.array(fc.constantFrom('\\\\', '\\ud83d', '\\ude00', 'x', '\\n'), { maxLength: 8 }), (pieces) => {
        const text = `"${pieces.join('')}"`
        const isGood = (JSON.parse(text) as string).isWellFormed()
        const parse = () => parseBody(bytes(`{"a":${text}}`))
        if (isGood) expect(parse).not.toThrow()
        else expect(parse).toThrow(/surrogate/)
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseBody(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toThrow(/not UTF-8/)
  })
})
