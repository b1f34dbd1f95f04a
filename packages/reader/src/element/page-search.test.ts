import { brotliCompressSync } from 'node:zlib'
import { EnglishEmbedder, publish, StoreEngine, systemModels } from 'siltstone/internal'
import { collectionRequest, fileHost, memoryEnvironment, MemoryTarget } from 'siltstone/testing'
import { describe, expect, it } from 'vitest'
import { buildPageFiles, ModuleGraph } from '../build.ts'
import { open } from '../open.ts'
import { knn } from '../index.ts'
import { followable, PageSearch } from './page-search.ts'

const URL = 'http://127.0.0.1/search'
const SUBJECTS = ['rivers', 'bread', 'invoices', 'snow', 'engines']
const NOTES = 300
const VERBS = ['carry', 'need', 'hide', 'melt', 'stop']

async function published({ embedded = true, schema = null as Record<string, unknown> | null } = {}) {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const request = { ...collectionRequest('notes', { space: 'cosine' }), schema }
  const { info } = await engine.catalog.createCollection(request)
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const documents = Array.from(
    { length: NOTES },
    (_, n) =>
      `${SUBJECTS[n % 5]} ${VERBS[(n % 7) % 5]} ${SUBJECTS[(n * 3 + 1) % 5]} ${'again '.repeat(n % 4)}number ${n}`,
  )
  const vectors = embedded
    ? await new EnglishEmbedder({ models: systemModels }).embed(documents)
    : documents.map((_, n) => Float32Array.of(n, 1, 0))
  await collection.write(
    documents.map((document, n) => ({
      op: 'upsert',
      id: `note-${n}`,
      vector: vectors[n] as Float32Array,
      document,
      metadata: JSON.stringify({ n, url: `/note/${n}`, kind: n % 3 === 0 ? 'third' : 'other' }),
      uri: null,
    })),
  )
  const target = new MemoryTarget()
  await publish({ collection, staging: memoryEnvironment(), target, models: systemModels })
  await engine.close()
  const host = fileHost(async (path) => {
    const body = target.files.get(path.slice('search/'.length))
    return body ? { body } : null
  })
  return {
    fetch: host.fetch,
    requests: host.requests,
    search: await PageSearch.open(URL, `${URL}/`, { fetch: host.fetch }),
  }
}

describe('the search of a box', () => {
  it('finds what the search API finds by both ways', async () => {
    const { fetch, search } = await published()
    const notes = await open(URL, { fetch })
    for (const [text, where] of [
      ['what do streams carry?', undefined],
      ['number 42', undefined],
      ['frozen water melts again', { kind: 'third' }],
      ['bread', { n: { $gt: 250 } }],
    ] as const) {
      // All are looked at here, the index of a box leaves out a few.
      const by = async (rank: ReturnType<typeof knn>) => {
        const found = await notes.search(
          { rank, limit: NOTES, select: ['#document', '#score'], ...(where && { where }) },
          { effort: { exact: true } },
        )
        return new Map(found.ids[0]?.map((id, i) => [id, found.scores?.[0]?.[i] as number]))
      }
      const distances = await by(knn({ query: text, limit: NOTES }))
      const words = await by(knn({ query: text, key: '#document', limit: NOTES }))
      const most = 1 - Math.min(1, ...words.values())
      const scores = Array.from(distances, ([id, distance]) => (1 - (words.get(id) ?? 1)) / (most || 1) - distance)
      const best = scores.sort((a, b) => b - a).slice(0, 8)
      const hits = await search.search(text, 8, where)
      hits.forEach(({ score }, i) => {
        expect(score).toBeLessThan((best[i] as number) + 1e-4)
        expect(score).toBeGreaterThan((best[i] as number) - 0.05)
      })
      expect(hits.every((hit) => hit.url?.startsWith('http://127.0.0.1/note/'))).toBe(true)
    }
    expect(await search.search('?!', 8)).toEqual([])
    expect(await search.search('bread', 8, { n: 1_000 })).toEqual([])
  })

  it('searches by words alone without an embedder, and by meaning alone where the schema disables words', async () => {
    const without = await published({ embedded: false })
    expect((await without.search.search('number 42', 1)).map(({ id }) => id)).toEqual(['note-42'])
    expect((await without.search.search('number 43', 1)).map(({ id }) => id)).toEqual(['note-43'])
    const schema = {
      defaults: {},
      keys: { '#document': { string: { fts_index: { enabled: false, config: {} } } } },
    }
    const wordless = await published({ schema })
    const [hit] = await wordless.search.search('snow', 1)
    expect(hit?.text).toContain('snow')
    expect(await wordless.search.didYouMean('snoww')).toBeUndefined()
  })

  it('reads what complete words need while more is typed', async () => {
    const { fetch, requests, search } = await published()
    const other = await PageSearch.open(URL, `${URL}/`, { fetch })
    const asked = async (by: PageSearch) => {
      const before = requests.length
      const hits = await by.search('what do frozen rivers carry?', 8)
      return { hits, requests: requests.length - before }
    }
    for (const text of ['', 'wh', 'what', 'what do frozen', 'what do frozen rivers', 'what do frozen rivers car'])
      await search.expect(text)
    const [early, late] = [await asked(search), await asked(other)]
    expect(early.hits).toEqual(late.hits)
    expect(early.requests).toBeLessThan(late.requests)
    // Nothing is told of a failure: the search does that.
    const broken = await PageSearch.open(URL, `${URL}/`, {
      fetch: async (url, init) => {
        if (url.endsWith('.json')) return fetch(url, init)
        throw new TypeError('Failed to fetch')
      },
    })
    await broken.expect('what do ')
    await expect(broken.search('what do', 8)).rejects.toMatchObject({ code: 'host-unreachable' })
  })

  it('says what was meant where a word is in no record, and not the beginning of one that is being typed', async () => {
    const { search } = await published()
    const expected = {
      'rivres carry snow': 'rivers carry snow',
      'brread and inviices': 'bread and invoices',
      'river engin': undefined,
      rive: undefined,
      'invoi ': undefined,
      'bread need 42 xyz': undefined,
    }
    for (const [text, meant] of Object.entries(expected)) expect(await search.didYouMean(text), text).toBe(meant)
  })
})

it('pages load at most what is promised: 50 KB, and 70 KB with words', async () => {
  const files = new Map((await buildPageFiles()).map(({ name, bytes }) => [name, bytes]))
  const texts = new Map([...files].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]))
  const textOf = (name: string) => texts.get(name) ?? ''
  const graph = new ModuleGraph(texts)
  const closure = (names: readonly string[]) => graph.closure(names)
  const lazy = (name: string) => graph.lazy(name)
  const kilobytes = (names: ReadonlySet<string>) =>
    [...names].reduce((sum, name) => sum + brotliCompressSync(files.get(name) as Uint8Array).length, 0) / 1_000
  const [reader = ''] = lazy('siltstone-search.js')
  // What searches by words, and what finds the words that were meant.
  const words = lazy(reader).filter((name) => [...closure([name])].some((one) => textOf(one).includes('.lengths()')))
  const base = closure(['siltstone-search.js', reader])
  expect(kilobytes(new Set(['siltstone-search.js']))).toBeLessThan(15)
  expect(kilobytes(base)).toBeLessThan(50)
  expect(words).toHaveLength(2)
  expect(kilobytes(closure([...base, ...words]))).toBeLessThan(70)
  // What a search needs is asked for in one round.
  for (const entry of ['siltstone-search.js', 'pagefind.js']) {
    const preloaded = new Set(/"((?:siltstone-\w{8}\.js ?)+)"/.exec(textOf(entry))?.[1]?.split(' '))
    const needed = words.map((one) => [...closure([entry, reader, one])].filter((name) => !closure([entry]).has(name)))
    expect(needed.map((names) => new Set(names))).toContainEqual(preloaded)
  }
})

it('follows pages, and nothing that runs', () => {
  const base = 'https://a.example/docs/'
  expect(followable('../guide#top', base)).toBe('https://a.example/guide#top')
  expect(followable('https://b.example/', base)).toBe('https://b.example/')
  for (const address of [
    'javascript:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'file:///etc',
    'http://[',
  ])
    expect(followable(address, base)).toBeUndefined()
})
