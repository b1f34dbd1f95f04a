import { memoryEnvironment } from 'siltstone/testing'
import { seededRandom, systemClock } from 'siltstone/internal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Evidence, valueOf } from '../evidence/evidence.ts'
import { rate } from '../metrics/rating.ts'
import { type FakeService, fakeService, githubRoutes, hubRoutes } from '../testing/fake-services.ts'
import { MemoryAnswerCache, SourceHttp } from './source-http.ts'
import { Sources, type SourcesOptions } from './sources.ts'

let hub: FakeService
let github: FakeService

beforeEach(async () => {
  hub = await fakeService(hubRoutes())
  github = await fakeService(githubRoutes())
})
afterEach(async () => {
  await hub.close()
  await github.close()
})

const nobody = () => Promise.resolve(null)
const { clock } = memoryEnvironment()
const sourcesWith = (options: Partial<SourcesOptions> = {}) =>
  new Sources({
    clock: systemClock,
    random: seededRandom(1),
    hub: { url: hub.url },
    github: { url: 'https://github.test', apiUrl: github.url },
    ...options,
  })
const record = (sources = sourcesWith(), netScoreOf: (url: string) => Promise<number | null> = nobody) =>
  sources.record({ type: 'model', url: `${hub.url}/harbour/tern-small` }, netScoreOf)

describe('a model of the hub', () => {
  it('is recorded with its files, texts, code, datasets and parents', async () => {
    const asked: string[] = []
    const evidence = await record(sourcesWith(), async (url) => {
      asked.push(url)
      return 0.5
    })
    expect(evidence.subject).toMatchObject({
      type: 'model',
      name: 'tern-small',
      repository: 'harbour/tern-small',
      revision: 'a'.repeat(40),
    })
    expect(valueOf(evidence.files)).toContainEqual({
      path: 'model.safetensors',
      sizeBytes: 1_000_000,
      sha256: 'c'.repeat(64),
    })
    expect(Object.keys(valueOf(evidence.texts) ?? {})).toEqual(['config.json', 'requirements.txt'])
    expect(valueOf(evidence.hub)).toMatchObject({ pipelineTag: 'text-classification', parameters: { F32: 250_000 } })
    expect(valueOf(evidence.commits)?.map(({ author }) => author.login)).toEqual(['ada', 'ben'])
    expect(valueOf(evidence.parents)).toEqual([expect.objectContaining({ relation: 'finetune', netScore: 0.5 })])
    expect(asked).toHaveLength(1)
    expect(asked[0]).toContain('/harbour/tern-base')
    // harbour/gone is named and does not exist.
    expect(valueOf(evidence.datasets)).toEqual([
      {
        id: 'harbour/squalls',
        hasCard: true,
        licence: 'cc-by-4.0',
        hasSize: true,
        hasFeatures: true,
        hasProvenance: true,
        downloads: 999,
      },
    ])
    const code = valueOf(evidence.code)
    expect(code?.url).toBe(`${github.url}/repos/harbour/tern`)
    expect(code?.files.find(({ path }) => path === 'tern.py')).toMatchObject({ lines: 2, parses: false })
    expect(code?.texts['requirements.txt']).toBe('torch==2.9.0\n')
    expect(valueOf(evidence.reviews)).toEqual([
      {
        id: 'c2',
        author: { login: 'ada', name: 'ada' },
        addedLines: 30,
        pullRequest: { number: 7, author: 'ada', approvedBy: ['ben'] },
      },
      { id: 'c1', author: { login: 'ben', name: 'ben' }, addedLines: 10, pullRequest: null },
    ])
    expect(Object.values(rate(evidence, clock).metrics).map(({ status }) => status)).not.toContain('unknown')
  })

  it('is recorded alike a second time, from answers that did not change', async () => {
    const sources = sourcesWith()
    const first = await record(sources)
    const calls = hub.requests.length + github.requests.length
    const second = await record(sources)
    const digest = (evidence: Evidence) => rate(evidence, clock).evidenceDigest
    expect(digest(second)).toBe(digest(first))
    // All but the two that answer "not found" for harbour/gone.
    expect(hub.notModified + github.notModified).toBeGreaterThanOrEqual(calls - 2)
  })

  it('with a token, reviews come by GraphQL, and each service gets its own token', async () => {
    const sources = sourcesWith({
      hub: { url: hub.url, token: 'for-the-hub' },
      github: { url: 'https://github.test', apiUrl: github.url, token: 'for-github' },
    })
    const evidence = await record(sources)
    expect(valueOf(evidence.reviews)?.map(({ addedLines }) => addedLines)).toEqual([30, 10])
    expect(evidence.reviews).not.toHaveProperty('limits')
    expect(github.requests.filter((request) => request === 'POST /graphql')).toHaveLength(2)
    expect(new Set(hub.authorizations)).toEqual(new Set(['Bearer for-the-hub']))
    expect(new Set(github.authorizations)).toEqual(new Set(['Bearer for-github']))
  })

  it('does not exist: an error says so', async () => {
    await expect(sourcesWith().record({ type: 'model', url: `${hub.url}/a/b` }, nobody)).rejects.toMatchObject({
      kind: 'not-found',
    })
    await expect(sourcesWith().record({ type: 'model', url: 'https://example.org/a/b' }, nobody)).rejects.toMatchObject(
      {
        kind: 'invalid',
        code: 'source-without-driver',
      },
    )
  })
})

describe('a source that fails', () => {
  it('leaves the rest recorded, and says why the part is unknown', async () => {
    github.routes.set('/repos/harbour/tern', { status: 401, body: { message: 'Bad credentials' } })
    const evidence = await record()
    expect(evidence.code).toMatchObject({ state: 'unknown', reason: expect.stringContaining('Bad credentials') })
    expect(evidence.reviews.state).toBe('unknown')
    expect(evidence.readme.state).toBe('found')
    const { metrics } = rate(evidence, clock)
    expect(metrics.code_quality).toMatchObject({ value: 0, status: 'unknown' })
    expect(metrics.reviewedness).toMatchObject({ value: 0, status: 'unknown' })
    expect(metrics.license.value).toBe(1)
  })

  it('a code repository that does not exist is absent, not unknown', async () => {
    github.routes.delete('/repos/harbour/tern')
    const evidence = await record()
    expect(evidence.code.state).toBe('absent')
    expect(rate(evidence, clock).metrics.reviewedness.status).toBe('not_applicable')
  })

  it('that passes is asked again', async () => {
    const whole = hub.routes.get('/api/models/harbour/tern-small/revision/main?blobs=true')
    let failures = 2
    hub.routes.set('/api/models/harbour/tern-small/revision/main?blobs=true', () => {
      if (failures-- > 0) return { status: 503, body: 'busy' }
      return whole as object
    })
    // A manual clock, whose waits end at once.
    expect((await record(sourcesWith({ clock: impatient() }))).readme.state).toBe('found')
  })

  it('with a limit is not asked again before the time that it names', async () => {
    const reset = String(Math.floor(Date.now() / 1_000) + 3_000)
    github.routes.set('/repos/harbour/tern', {
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
      body: { message: 'API rate limit exceeded' },
    })
    const sources = sourcesWith()
    const evidence = await record(sources)
    expect(evidence.code).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/accepts no more requests for \d+ s/),
    })
    const calls = github.requests.length
    await record(sources)
    expect(github.requests).toHaveLength(calls)
  })

  it('a redirect to another origin is not followed', async () => {
    const elsewhere = await fakeService(new Map([['/secret', { body: '{}' }]]))
    hub.routes.set(`/harbour/tern-small/resolve/${'a'.repeat(40)}/config.json`, {
      status: 302,
      headers: { location: `${elsewhere.url}/secret` },
    })
    const evidence = await record()
    expect(elsewhere.requests).toEqual([])
    expect(evidence.texts).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('not configured as a source'),
    })
    await elsewhere.close()
  })

  it('a redirect within the service is followed', async () => {
    hub.routes.set('/api/models/old/name/revision/main?blobs=true', {
      status: 307,
      headers: { location: '/api/models/harbour/tern-small/revision/main?blobs=true' },
    })
    const evidence = await sourcesWith().record({ type: 'model', url: `${hub.url}/old/name` }, nobody)
    expect(evidence.subject.revision).toBe('a'.repeat(40))
  })

  it.each([
    ['no JSON', 'surprise'],
    ['another shape', { sha: 1, siblings: 'none', tags: [3], cardData: [] }],
    ['an array', []],
  ])('that answers %s', async (_what, body) => {
    hub.routes.set('/api/models/harbour/tern-small/revision/main?blobs=true', { body })
    hub.routes.set('/api/models/harbour/tern-small/commits/main', { body: [] })
    const outcome = await record().catch((error: unknown) => error)
    if (outcome instanceof Error) expect(outcome).toMatchObject({ kind: 'unavailable', code: 'source-answer' })
    else expect(rate(outcome as Evidence, clock).netScore.value).toBeLessThan(0.5)
  })

  it('that is asked too often for one rating is not asked further', async () => {
    const http = new SourceHttp({ baseUrl: hub.url, clock, random: seededRandom(1), cache: new MemoryAnswerCache() })
    const bounded = http.withBudget(2)
    await bounded.get('/a')
    await bounded.get('/b')
    await expect(bounded.get('/c')).rejects.toMatchObject({ kind: 'unavailable', code: 'source-budget' })
    expect(hub.requests).toEqual(['GET /a', 'GET /b'])
  })

  it('without an https address is a mistake of the configuration', () => {
    expect(() => sourcesWith({ hub: { url: 'http://192.0.2.1' } })).toThrow(TypeError)
  })
})

describe('an upload', () => {
  const files: Record<string, string> = {
    'README.md':
      '---\nlicense: mit\nbase_model:\n  - harbour/tern-small\ntags: [weather]\n---\n# Mine\n\nSee https://github.test/harbour/tern\n',
    'adapter_config.json': '{"base_model_name_or_path":"harbour/tern-small"}',
    'adapter_model.safetensors': 'x'.repeat(100),
  }
  const uploaded = {
    revision: 'u1',
    files: Object.entries(files).map(([path, text]) => ({ path, sizeBytes: text.length })),
    read: (path: string) =>
      Promise.resolve(files[path] === undefined ? undefined : new TextEncoder().encode(files[path])),
  }

  it('is recorded from its contents', async () => {
    const evidence = await sourcesWith().recordUpload(
      { type: 'model', name: 'mine', repository: 'me/mine' },
      uploaded,
      nobody,
    )
    expect(valueOf(evidence.card)).toEqual({ license: 'mit', base_model: ['harbour/tern-small'], tags: ['weather'] })
    expect(valueOf(evidence.parents)).toMatchObject([{ relation: 'adapter', netScore: null }])
    expect(valueOf(evidence.code)?.files.length).toBeGreaterThan(0)
    expect(evidence.commits.state).toBe('absent')
    expect(evidence.subject.url).toBe('upload')
  })

  it('without a README knows that nothing is linked', async () => {
    const bare = { ...uploaded, files: [{ path: 'model.bin', sizeBytes: 1 }] }
    const evidence = await sourcesWith().recordUpload({ type: 'model', name: 'mine', repository: null }, bare, nobody)
    expect([evidence.readme.state, evidence.card.state, evidence.code.state, evidence.parents.state]).toEqual([
      'absent',
      'absent',
      'absent',
      'absent',
    ])
  })
})

it('code on GitHub is its own code, with the licence that GitHub read', async () => {
  const evidence = await sourcesWith().record({ type: 'code', url: 'https://github.test/harbour/tern' }, nobody)
  expect(evidence.subject).toMatchObject({ name: 'harbour-tern', repository: 'harbour/tern', revision: 'c2' })
  expect(valueOf(evidence.code)?.files).toHaveLength(5)
  expect(rate(evidence, clock).metrics.license.value).toBe(1)
})

/** The real clock, but waits end at once. */
function impatient() {
  return {
    ...systemClock,
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs(),
    sleep: () => Promise.resolve(),
  }
}
