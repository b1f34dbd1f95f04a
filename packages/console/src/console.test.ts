import fc from 'fast-check'
import { spawnSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { buildConsole } from './build.ts'
import { movesOf, overlap } from './compare.ts'
import { ago, bytes, clip, webUri } from './format.ts'
import { hashOf, PAGES, parseRoute, VIEWS } from './route.ts'
import { colored, nearestPoint, PALETTE, placesOf } from './picture.ts'
import { LANGUAGES, snippet } from './snippets.ts'
import { ROW_PX, rowWindow } from './window.ts'

const name = fc.string({ minLength: 1, unit: 'grapheme' })

describe('addresses', () => {
  it('lead back to the view that they were made of', () => {
    const params = fc.dictionary(fc.constantFrom('where', 'at', 'text'), name, { noNullPrototype: false })
    fc.assert(
      fc.property(name, name, name, fc.constantFrom(...VIEWS), params, (tenant, database, collection, view, more) => {
        const route = { tenant, database, collection, view, params: more }
        expect(parseRoute(hashOf(route))).toEqual(route)
      }),
    )
  })

  it('of pages lead back to them', () => {
    for (const page of PAGES)
      expect(parseRoute(hashOf({ page, params: { a: 'b c' } }))).toMatchObject({ page, params: { a: 'b c' } })
    expect(parseRoute(hashOf({ tenant: 'server', database: 'd' }))).toMatchObject({ tenant: 'server', database: 'd' })
  })

  it('that make no sense lead somewhere', () => {
    expect(parseRoute('')).toEqual({ view: 'records', params: {} })
    expect(parseRoute('#/%E0%A4%A/x')).toMatchObject({ tenant: '%E0%A4%A', database: 'x' })
    expect(parseRoute('#/t/d/c/nothing')).toMatchObject({ collection: 'c', view: 'records' })
  })
})

describe('a window of rows', () => {
  it('covers the visible part, holds at most 100 rows, and reaches both ends', () => {
    fc.assert(
      fc.property(
        fc.nat(3_000_000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 100, max: 2_400 }),
        (total, part, viewPx) => {
          const { heightPx } = rowWindow(total, 0, viewPx)
          const scrollPx = part * Math.max(0, heightPx - viewPx)
          const { first, rows, topPx } = rowWindow(total, scrollPx, viewPx)
          expect(rows).toBeLessThanOrEqual(100)
          expect(first).toBeGreaterThanOrEqual(0)
          expect(first + rows).toBeLessThanOrEqual(total)
          if (total * ROW_PX < viewPx) {
            expect(rows).toBe(total)
            return
          }
          expect(topPx).toBeLessThanOrEqual(scrollPx + 1)
          expect(topPx + rows * ROW_PX).toBeGreaterThanOrEqual(scrollPx + viewPx - 1)
          if (part === 1) expect(first + rows).toBe(total)
        },
      ),
    )
  })
})

describe('the map', () => {
  it('gives the most frequent values colours, and counts all points', () => {
    const values = [...Array.from({ length: 30 }, (_, i) => `v${i % 10}`), 'v1', null, true]
    const { colors, legend } = colored(values, values.length)
    expect(colors).toHaveLength(values.length)
    expect(legend.reduce((sum, { records }) => sum + records, 0)).toBe(values.length)
    expect(legend).toHaveLength(PALETTE.length + 1)
    expect(legend[0]).toMatchObject({ value: 'v1', records: 4, color: PALETTE[0] })
    expect(legend.at(-1)?.value).toBeUndefined()
    expect(colored(null, 2)).toEqual({ colors: [PALETTE[0], PALETTE[0]], legend: [] })
  })

  it('shades many numbers from small to large', () => {
    const { legend, colors } = colored(
      Array.from({ length: 100 }, (_, i) => i),
      100,
    )
    expect(legend.map(({ records }) => records)).toEqual([20, 20, 20, 20, 20])
    expect(colors[0]).not.toBe(colors[99])
  })

  it('puts every point on the canvas, and finds it there', () => {
    const coordinate = fc.double({ min: -5, max: 5, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 50 }), (points) => {
        const places = placesOf(
          points.map(([x]) => x),
          points.map(([, y]) => y),
          320,
          520,
        )
        for (const [i, place] of places.entries()) {
          expect(place.left >= 0 && place.left <= 320 && place.top >= 0 && place.top <= 520).toBe(true)
          const found = places[nearestPoint(places, place) as number] as typeof place
          expect(Math.hypot(found.left - place.left, found.top - place.top), String(i)).toBe(0)
        }
        expect(nearestPoint(places, { left: -100, top: -100 })).toBeUndefined()
      }),
    )
  })
})

describe('code to copy', () => {
  const call = { method: 'POST', path: '/api/x', body: { a: "it's", b: [null, true, 1.5] }, headers: { 'x-y': 'z' } }

  it('quotes what a shell would read', () => {
    expect(snippet('curl', call, 'http://h', true)).toBe(
      [
        `curl -s -X POST 'http://h/api/x' \\`,
        `  -H 'content-type: application/json' \\`,
        `  -H 'x-y: z' \\`,
        `  -H "x-chroma-token: $TOKEN" \\`,
        `  -d '{"a":"it'\\''s","b":[null,true,1.5]}'`,
      ].join('\n'),
    )
    const echoed = spawnSync('sh', [
      '-c',
      snippet('curl', call, 'http://h', false).replace('curl -s', 'printf "%s\\n"'),
    ])
    expect(echoed.stdout.toString().split('\n').at(-2)).toBe(JSON.stringify(call.body))
  })

  it('is JavaScript and Python', () => {
    const python = snippet('Python', call, 'http://h', false)
    expect(python).toContain(`data=json.dumps({"a": "it's", "b": [None, True, 1.5]}).encode()`)
    expect(snippet('JavaScript', { method: 'GET', path: '/api' }, 'http://h', false)).toBe(
      'const answer = await fetch("http://h/api")\nconsole.log(await answer.json())',
    )
    for (const language of LANGUAGES) expect(snippet(language, call, 'http://h', true)).toContain('TOKEN')
  })
})

describe('comparison', () => {
  it('tells how far each hit moved', () => {
    expect(movesOf(['a', 'b', 'c'], ['b', 'a', 'd'])).toEqual([
      { id: 'a', by: 1 },
      { id: 'b', by: -1 },
      { id: 'c', by: undefined },
    ])
    expect(overlap(['a', 'b'], ['a', 'c'])).toBe(0.5)
    expect(overlap(['a'], [])).toBe(1)
  })
})

describe('texts', () => {
  it('are short and safe', () => {
    expect([bytes(999), bytes(1_500), bytes(132_098_999)]).toEqual(['999 B', '1.5 KB', '132 MB'])
    expect(clip('ab\u{1f600}cd', 3)).toBe('ab…')
    expect(ago(0, 3 * 86_400_000)).toBe('3 days ago')
    expect(webUri('javascript:alert(1)')).toBeUndefined()
    expect(webUri('https://a.example/x')).toBe('https://a.example/x')
  })
})

describe('the built console', () => {
  it('is small and refers to its own files alone', async () => {
    const files = await buildConsole()
    const packed = (some: typeof files) => some.reduce((sum, { bytes: content }) => sum + gzipSync(content).length, 0)
    expect(packed(files)).toBeLessThanOrEqual(100_000)
    const textOf = (name: string) => new TextDecoder().decode(files.find((file) => file.name === name)?.bytes)
    // What the page names, and what its script imports before it runs.
    const first = new Set(['index.html'])
    for (const name of first)
      for (const [, other = ''] of textOf(name)
        .matchAll(/(?:src|href)="([\w.-]+)"|(?:from|import)"\.\/([\w.-]+)"/g)
        .map(([all, link, imported]) => [all, link ?? imported]))
        if (files.some((file) => file.name === other)) first.add(other)
    expect(first.size).toBeGreaterThanOrEqual(4)
    expect(packed(files.filter(({ name: one }) => first.has(one)))).toBeLessThanOrEqual(40_000)
    const page = new TextDecoder().decode(files.find((file) => file.name === 'index.html')?.bytes)
    for (const [, link = ''] of page.matchAll(/(?:src|href)="\/([^"]+)"/g))
      expect([...files.map((file) => file.name), 'docs']).toContain(link)
    expect(page).not.toMatch(/https?:/)
  })
})
