/**
 * A hub and a GitHub on this machine, with the answers of fictitious repositories that were written for these tests. They send
 * ETags, answer If-None-Match, count what they were asked, and can be told to refuse.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { README } from './evidence.ts'

export interface FakeAnswer {
  status?: number
  headers?: Record<string, string>
  /** Objects are sent as JSON. */
  body?: unknown
}

export interface FakeService {
  url: string
  /** `GET /path?query`, in order. */
  requests: string[]
  /** Authorization headers, in order. */
  authorizations: (string | undefined)[]
  /** How many answers were "not modified". */
  notModified: number
  /** By path without query, or with it, which goes first. May be changed while it runs. */
  routes: Map<string, FakeAnswer | ((request: { body: string; url: string }) => FakeAnswer)>
  close(): Promise<void>
}

export async function fakeService(routes: FakeService['routes']): Promise<FakeService> {
  const server = createServer((request, response) => void answer(service, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const service: FakeService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    authorizations: [],
    notModified: 0,
    routes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return service
}

async function answer(service: FakeService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const url = request.url ?? '/'
  service.requests.push(`${request.method} ${url}`)
  service.authorizations.push(request.headers.authorization)
  const route = service.routes.get(url) ?? service.routes.get(url.split('?')[0] ?? url)
  const made = typeof route === 'function' ? route({ body: Buffer.concat(chunks).toString(), url }) : route
  const { status = 200, headers = {}, body = '' } = made ?? { status: 404, body: { message: 'Not Found' } }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`
  if (status === 200 && request.headers['if-none-match'] === etag) {
    service.notModified++
    response.writeHead(304, { etag }).end()
    return
  }
  response.writeHead(status, { ...(status === 200 && { etag }), ...headers }).end(text)
}

const SHA = 'a'.repeat(40)

/** `harbour/tern-small`, a model, and `harbour/squalls`, a dataset. */
export function hubRoutes(): FakeService['routes'] {
  const file = (path: string, body: string): [string, FakeAnswer] => [
    `/harbour/tern-small/resolve/${SHA}/${path}`,
    { body },
  ]
  const model = {
    id: 'harbour/tern-small',
    sha: SHA,
    pipeline_tag: 'text-classification',
    library_name: 'transformers',
    tags: ['license:apache-2.0', 'base_model:harbour/tern-base', 'base_model:finetune:harbour/tern-base'],
    downloads: 12_000,
    cardData: { license: 'apache-2.0', base_model: 'harbour/tern-base', datasets: ['harbour/squalls', 'harbour/gone'] },
    siblings: [
      { rfilename: 'README.md', size: 900 },
      { rfilename: 'config.json', size: 2 },
      { rfilename: 'requirements.txt', size: 40 },
      { rfilename: 'model.safetensors', size: 1_000_000, lfs: { sha256: 'c'.repeat(64), size: 1_000_000 } },
    ],
    safetensors: { parameters: { F32: 250_000 }, total: 250_000 },
  }
  const commits = '/api/models/harbour/tern-small/commits'
  const entry = (id: string, user: string) => ({ id, title: id, date: '2026-05-01T00:00:00.000Z', authors: [{ user }] })
  return new Map<string, FakeAnswer>([
    ['/api/models/harbour/tern-small/revision/main?blobs=true', { body: model }],
    [`${commits}/${SHA}`, { body: [entry('h1', 'ada')], headers: { link: `<${commits}/${SHA}?p=1>; rel="next"` } }],
    [`${commits}/${SHA}?p=1`, { body: [entry('h2', 'ben')] }],
    file(
      'README.md',
      `${README}\nCode: https://github.test/harbour/tern. See https://github.test/huggingface/transformers.\n`,
    ),
    file('config.json', '{}'),
    file('requirements.txt', 'transformers==5.24.0\n'),
    [
      '/api/datasets/harbour/squalls/revision/main?blobs=true',
      {
        body: {
          id: 'harbour/squalls',
          sha: 'd'.repeat(40),
          downloads: 999,
          cardData: { license: 'cc-by-4.0', size_categories: ['n<1K'], configs: [{ config_name: 'default' }] },
          siblings: [{ rfilename: 'README.md', size: 100 }],
        },
      },
    ],
    [
      `/datasets/harbour/squalls/resolve/${'d'.repeat(40)}/README.md`,
      { body: '# Squalls\n\n## Source data\n\nBuoys.\n' },
    ],
  ])
}

/** `harbour/tern`, a repository of code: two commits, the second by a pull request that somebody approved. */
export function githubRoutes(): FakeService['routes'] {
  const repository = '/repos/harbour/tern'
  const commit = (sha: string, login: string) => ({
    sha,
    author: { login },
    commit: { author: { name: login, email: `${login}@example.org`, date: '2026-06-01T00:00:00Z' } },
  })
  const detail = (sha: string, login: string, additions: number) => ({
    ...commit(sha, login),
    stats: { additions },
    parents: [{ sha: 'p' }],
  })
  const text = (path: string, body: string): [string, FakeAnswer] => [`${repository}/contents/${path}`, { body }]
  return new Map<string, FakeAnswer | ((request: { body: string; url: string }) => FakeAnswer)>([
    [repository, { body: { full_name: 'harbour/tern', default_branch: 'trunk', license: { spdx_id: 'MIT' } } }],
    [`${repository}/commits/trunk`, { body: { sha: 'c2', commit: { tree: { sha: 't2' } } } }],
    [
      `${repository}/git/trees/t2`,
      {
        body: {
          truncated: false,
          tree: [
            { path: 'README.md', type: 'blob', size: 10 },
            { path: 'LICENSE', type: 'blob', size: 1_000 },
            { path: 'requirements.txt', type: 'blob', size: 30 },
            { path: 'tests', type: 'tree' },
            { path: 'tests/test_tern.py', type: 'blob', size: 20 },
            { path: 'tern.py', type: 'blob', size: 20 },
          ],
        },
      },
    ],
    text('README.md', '# Tern\n'),
    text('LICENSE', 'Some text.'),
    text('requirements.txt', 'torch==2.9.0\n'),
    text('tests/test_tern.py', 'def test(): pass\n'),
    text('tern.py', 'x = (1\n'),
    [`${repository}/commits`, { body: [commit('c2', 'ada'), commit('c1', 'ben')] }],
    [`${repository}/commits/c2`, { body: detail('c2', 'ada', 30) }],
    [`${repository}/commits/c1`, { body: detail('c1', 'ben', 10) }],
    [
      `${repository}/commits/c2/pulls`,
      { body: [{ number: 7, merged_at: '2026-06-01T00:00:00Z', user: { login: 'ada' } }] },
    ],
    [`${repository}/commits/c1/pulls`, { body: [] }],
    [`${repository}/pulls/7/reviews`, { body: [{ user: { login: 'ben' }, state: 'APPROVED' }] }],
    [
      '/graphql',
      ({ body }) => ({
        body: graphqlPage((JSON.parse(body) as { variables: { after: string | null } }).variables.after),
      }),
    ],
  ])
}

function graphqlPage(after: string | null): unknown {
  const node = (oid: string, additions: number, approvedBy: string | null) => ({
    oid,
    additions,
    author: { name: 'Ada', user: { login: 'ada' } },
    associatedPullRequests: {
      nodes:
        approvedBy === null
          ? []
          : [
              {
                number: 7,
                merged: true,
                author: { login: 'ada' },
                reviews: { nodes: [{ author: { login: approvedBy } }] },
              },
            ],
    },
  })
  const history =
    after === null
      ? { pageInfo: { hasNextPage: true, endCursor: 'next' }, nodes: [node('c2', 30, 'ben')] }
      : { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [node('c1', 10, null)] }
  return { data: { repository: { object: { history } } } }
}
