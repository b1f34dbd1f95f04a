import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type CallOptions, type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'
import { fileEntry, gitOidOf } from './context.ts'
import { entriesOf, rangeOf } from './file-routes.ts'

let world: ServedRegistry
let admin: string
/** Keys of users. */
let ada: string
let ben: string
let reader: string

async function keyOf(name: string, permissions = ['upload', 'search', 'download']): Promise<string> {
  const secret = { password: 'a long password' }
  await world.call('POST', '/register', {
    token: admin,
    body: { user: { name, is_admin: false }, secret, permissions },
  })
  const session = await world.logIn(name, secret.password)
  return ((await world.call('POST', `/user/${name}/keys`, { token: session, body: {} })).body as { token: string })
    .token
}

beforeAll(async () => {
  world = await servedRegistry()
  admin = await world.logIn()
  ada = await keyOf('ada')
  ben = await keyOf('ben')
  reader = await keyOf('reader', ['search'])
})
afterAll(() => world.close())

const hub = (
  method: string,
  path: string,
  token: string | undefined = ada,
  body?: unknown,
  headers: CallOptions['headers'] = {},
) =>
  world.call(method, `/hub${path}`, {
    ...(body !== undefined && { body }),
    headers: { ...(token !== '' && { authorization: `Bearer ${token}` }), ...headers },
  })
const codeOf = ({ status, headers }: Answer) => [status, headers.get('x-error-code')]
const lines = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n')
const header = (more: object = {}) => ({ key: 'header', value: { summary: 'change', description: '', ...more } })
const file = (path: string, text: string) => ({
  key: 'file',
  value: { path, content: Buffer.from(text).toString('base64'), encoding: 'base64' },
})
const commit = (repo: string, ...steps: unknown[]) =>
  hub('POST', `/api/models/${repo}/commit/main`, ada, lines(header(), ...steps))
const paths = async (repo: string, revision = 'main') => {
  const { body } = await hub('GET', `/api/models/${repo}/tree/${revision}?recursive=true`)
  return (body as { path: string }[]).map(({ path }) => path)
}
let made = 0
async function newRepo(isPrivate = false): Promise<string> {
  const name = `r${made++}`
  expect((await hub('POST', '/api/repos/create', ada, { name, private: isPrivate })).status).toBe(200)
  return `ada/${name}`
}

describe('repositories', () => {
  it('are made once, and only under one’s own name', async () => {
    const { status, body } = await hub('POST', '/api/repos/create', ada, {
      name: 'once',
      organization: null,
      type: 'dataset',
    })
    expect([status, body]).toMatchObject([
      200,
      { name: 'ada/once', url: 'http://registry.test:8080/hub/datasets/ada/once' },
    ])
    const again = await hub('POST', '/api/repos/create', ada, { name: 'Once', type: 'dataset' })
    expect([again.status, again.body]).toMatchObject([409, { url: expect.stringContaining('Once') as string }])
    expect((await hub('POST', '/api/repos/create', ada, { name: 'x', organization: 'ben' })).status).toBe(403)
    expect((await hub('POST', '/api/repos/create', reader, { name: 'x' })).status).toBe(403)
    expect((await hub('POST', '/api/repos/create', ada, { name: 'a b' })).status).toBe(400)
    expect((await hub('POST', '/api/repos/create', ada, { name: 'x', type: 'thing' })).status).toBe(400)
    // Types have names of their own.
    expect((await hub('POST', '/api/repos/create', ada, { name: 'once' })).status).toBe(200)
  })

  it('of others that are private look absent, and tokens that are wrong are said to be', async () => {
    const repo = await newRepo(true)
    expect((await hub('GET', `/api/models/${repo}`)).body).toMatchObject({ id: repo, private: true, author: 'ada' })
    expect(codeOf(await hub('GET', `/api/models/${repo}`, ben))).toEqual([404, 'RepoNotFound'])
    expect(codeOf(await hub('GET', `/api/models/${repo}`, ''))).toEqual([401, 'RepoNotFound'])
    expect(codeOf(await hub('GET', '/api/models/gpt2'))).toEqual([404, 'RepoNotFound'])
    const wrong = await hub('GET', `/api/models/${repo}`, 'st_wrong')
    expect([wrong.status, wrong.headers.get('x-error-message')]).toEqual([
      401,
      'Invalid credentials in Authorization header',
    ])
    expect((await hub('GET', `/api/models?search=${repo.slice(4)}`, ben)).body).toEqual([])
    const gated = await hub('PUT', `/api/models/${repo}/settings`, ada, { gated: 'auto', visibility: 'public' })
    expect([gated.status, gated.headers.get('x-error-message')]).toEqual([
      400,
      expect.stringContaining('make it private'),
    ])
    expect((await hub('GET', `/api/models/${repo}`, ben)).status).toBe(404)
    await hub('PUT', `/api/models/${repo}/settings`, ada, { visibility: 'public', gated: false })
    expect((await hub('GET', `/api/models/${repo}`, ben)).status).toBe(200)
    expect((await hub('DELETE', '/api/repos/delete', ben, { name: repo.slice(4), organization: 'ada' })).status).toBe(
      403,
    )
    expect((await hub('DELETE', '/api/repos/delete', ada, { name: repo.slice(4) })).status).toBe(200)
    expect((await hub('GET', `/api/models/${repo}`)).status).toBe(404)
  })

  it('are listed by author and a part of the name, in pages', async () => {
    const repos = [await newRepo(), await newRepo()]
    const list = async (query: string) =>
      ((await hub('GET', `/api/models?${query}`)).body as { id: string }[]).map(({ id }) => id)
    expect(await list('author=ada&limit=100')).toEqual(expect.arrayContaining(repos))
    expect(await list(`search=${repos[0]?.slice(4).toUpperCase()}`)).toEqual([repos[0]])
    expect(await list('search=ada/r')).toEqual(expect.arrayContaining(repos))
    expect(await list('search=.*')).toEqual([])
    expect(await list('author=ben')).toEqual([])
    const seen: string[] = []
    for (let url: string | undefined = '/hub/api/models?limit=1'; url !== undefined; ) {
      const { body, headers } = await world.call('GET', url, { headers: { authorization: `Bearer ${ada}` } })
      seen.push(...(body as { id: string }[]).map(({ id }) => id))
      const next: string | undefined = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
      url = next === undefined ? undefined : next.slice('http://registry.test:8080'.length)
    }
    expect(seen).toEqual(await list('limit=100'))
  })
})

describe('commits', () => {
  it('add, replace, copy and delete files and folders', async () => {
    const repo = await newRepo()
    const first = await commit(repo, file('a/1.txt', 'one'), file('a/2.txt', 'two'), file('b.txt', 'b'))
    expect(first.body).toMatchObject({
      success: true,
      pullRequestUrl: null,
      commitOid: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    })
    await commit(
      repo,
      { key: 'deletedFolder', value: { path: 'a/' } },
      {
        key: 'copyFile',
        value: { path: 'c.txt', srcPath: 'a/1.txt', srcRevision: (first.body as { commitOid: string }).commitOid },
      },
      { key: 'deletedFile', value: { path: 'b.txt' } },
    )
    expect(await paths(repo)).toEqual(['.gitattributes', 'c.txt'])
    expect((await hub('GET', `/${repo}/resolve/main/c.txt`)).text).toBe('one')
    expect((await hub('GET', `/${repo}/resolve/main/b.txt`)).headers.get('x-error-code')).toBe('EntryNotFound')
    expect(await paths(repo, (first.body as { commitOid: string }).commitOid)).toContain('a/1.txt')
    const { body, headers } = await hub('GET', `/api/models/${repo}/commits/main`)
    expect([(body as { title: string }[]).map(({ title }) => title), headers.get('x-total-count')]).toEqual([
      ['change', 'change', 'initial commit'],
      '3',
    ])
  })

  it('at the same time keep each other’s files', async () => {
    const repo = await newRepo()
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        commit(repo, file(`f${i}`, 'x'), { key: 'deletedFolder', value: { path: 'none' } }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(await paths(repo)).toHaveLength(7)
  })

  it('are refused whole', async () => {
    const repo = await newRepo()
    const refused = async (body: string, token = ada, at = `/api/models/${repo}/commit/main`) =>
      (await hub('POST', at, token, body)).status
    const parentCommit = 'f'.repeat(40)
    expect(await refused(lines(header({ parentCommit }), file('x', 'x')))).toBe(412)
    expect(await refused(lines(file('x', 'x')))).toBe(400)
    expect(await refused('{')).toBe(400)
    expect(await refused('')).toBe(400)
    expect(await refused(lines(header(), { key: 'other', value: {} }))).toBe(400)
    for (const path of ['../x', '/x', '.git/config', 'a//b', ''])
      expect(await refused(lines(header(), file(path, 'x')))).toBe(400)
    const lfs = { key: 'lfsFile', value: { path: 'x', algo: 'sha256', oid: 'a'.repeat(64), size: 1 } }
    expect(await refused(lines(header(), lfs))).toBe(400)
    expect(await refused(lines(header(), { key: 'copyFile', value: { path: 'x', srcPath: 'absent' } }))).toBe(404)
    expect(await refused(lines(header(), file('x', 'x')), ben)).toBe(403)
    expect(await refused(lines(header(), file('x', 'x')), reader)).toBe(403)
    expect(await refused(lines(header(), file('x', 'x')), ada, `/api/models/${repo}/commit/absent`)).toBe(404)
    expect(await refused(lines(header(), file('x', 'x')), ada, `/api/models/${repo}/commit/main?create_pr=1`)).toBe(400)
    expect(await paths(repo)).toEqual(['.gitattributes'])
  })

  it('put the README into search at once', async () => {
    const repo = await newRepo()
    const readme =
      '---\nlicense: mit\npipeline_tag: fill-mask\nbase_model: google-bert/bert-base-uncased\n---\n# Kittiwake\n\nCounts gulls.\n'
    await commit(repo, file('README.md', readme))
    const found = await world.call('POST', '/artifact/byRegEx', { token: admin, body: { regex: 'Counts gulls' } })
    expect(found.body).toMatchObject([{ name: repo.slice(4), type: 'model' }])
    await world.registry.settled()
    const { body } = await hub('GET', `/api/models/${repo}`)
    expect(body).toMatchObject({ pipeline_tag: 'fill-mask', cardData: { license: 'mit' }, tags: ['license:mit'] })
    const { id } = (found.body as { id: string }[])[0] ?? { id: '' }
    const rated = await world.call('GET', `/artifact/model/${id}/rate`, { token: admin })
    expect(rated.body).toMatchObject({ license: 1, category: 'fill-mask' })
    const download = await world.call('GET', `/download/model/${id}`, { token: admin })
    expect([download.status, download.headers.get('content-type')]).toEqual([200, 'application/zip'])
    expect(download.text).toContain('Counts gulls.')
  })
})

describe('files', () => {
  it('are read whole, in parts and by HEAD, with the commit and an ETag', async () => {
    const repo = await newRepo()
    await commit(repo, file('dir/ü 1.txt', '0123456789'))
    const path = `/${repo}/resolve/main/dir/${encodeURIComponent('ü 1.txt')}`
    const head = await hub('HEAD', path)
    expect(Object.fromEntries(head.headers)).toMatchObject({
      etag: `"${gitOidOf(Buffer.from('0123456789'))}"`,
      'content-length': '10',
      'x-repo-commit': expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    })
    expect(head.text).toBe('')
    expect((await hub('GET', path)).text).toBe('0123456789')
    const part = await hub('GET', path, ada, undefined, { range: 'bytes=2-4' })
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10'])
    expect((await hub('GET', path, ada, undefined, { range: 'bytes=10-' })).status).toBe(416)
    const same = await hub('GET', path, ada, undefined, { 'if-none-match': head.headers.get('etag') ?? '' })
    expect(same.status).toBe(304)
    expect((await hub('GET', path.replace('main', 'HEAD'))).text).toBe('0123456789')
    expect(codeOf(await hub('GET', path.replace('main', 'absent')))).toEqual([404, 'RevisionNotFound'])
    expect((await hub('GET', path, reader)).status).toBe(403)
  })

  it('are found by their paths', async () => {
    const repo = await newRepo()
    await commit(repo, file('a/b/c.txt', 'x'), file('d.txt', 'y'))
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const { body } = await hub(
      'POST',
      `/api/models/${repo}/paths-info/main`,
      ada,
      'paths=d.txt&paths=a/b&paths=none&expand=false',
      form,
    )
    expect(body).toMatchObject([
      { type: 'file', path: 'd.txt' },
      { type: 'directory', path: 'a/b' },
    ])
    const json = await hub('POST', `/api/models/${repo}/paths-info/main`, ada, { paths: ['d.txt'], expand: true })
    expect(json.body).toMatchObject([{ path: 'd.txt' }])
    expect(codeOf(await hub('GET', `/api/models/${repo}/tree/main/absent`))).toEqual([404, 'EntryNotFound'])
    expect((await hub('GET', `/api/models/${repo}/tree/main/a?recursive=False`)).body).toMatchObject([
      { type: 'directory', path: 'a/b' },
    ])
  })

  it('know ranges as HTTP has them', () => {
    expect(rangeOf('bytes=0-0', 5)).toEqual({ offset: 0, length: 1 })
    expect(rangeOf('bytes=3-', 5)).toEqual({ offset: 3, length: 2 })
    expect(rangeOf('bytes=-2', 5)).toEqual({ offset: 3, length: 2 })
    expect(rangeOf('bytes=0-99', 5)).toEqual({ offset: 0, length: 5 })
    expect([rangeOf('bytes=5-', 5), rangeOf('bytes=-0', 5), rangeOf('bytes=0-', 0)]).toEqual(
      Array(3).fill('unsatisfiable'),
    )
    expect(
      [null, 'bytes=', 'bytes=-', 'bytes=3-1', 'bytes=0-1,3-4', 'lines=1-2'].map((text) => rangeOf(text, 5)),
    ).toEqual(Array(6).fill(undefined))
  })

  it('list folders that no object stands for', () => {
    const files = {
      'a/b/c': { sha256: 'a'.repeat(64), sizeBytes: 1 },
      d: { sha256: 'b'.repeat(64), sizeBytes: 2, gitOid: 'c'.repeat(40) },
    }
    const listed = (folder: string, recursive: boolean) => entriesOf(files, folder, recursive).map(({ path }) => path)
    expect(listed('', false)).toEqual(['a', 'd'])
    expect(listed('', true)).toEqual(['a', 'a/b', 'a/b/c', 'd'])
    expect(listed('a', false)).toEqual(['a/b'])
    expect(listed('a/b/c', false)).toEqual([])
    expect(fileEntry('x', files['a/b/c'])).toMatchObject({ size: 1, lfs: { oid: 'a'.repeat(64), pointerSize: 126 } })
  })
})

describe('large files', () => {
  const bytes = Buffer.from('a large file')
  const oid = createHash('sha256').update(bytes).digest('hex')
  const batch = (repo: string, objects: unknown, token = ada, operation = 'upload') =>
    hub('POST', `/${repo}.git/info/lfs/objects/batch`, token, { operation, transfers: ['basic'], objects })

  it('go by signed links, which are good for one file only, and are named by a commit', async () => {
    const repo = await newRepo()
    const asked = await hub('POST', `/api/models/${repo}/preupload/main`, ada, {
      files: [
        { path: 'big', size: 10_000_001, sample: '' },
        { path: '.gitattributes', size: 10, sample: '' },
        { path: 'deep/small.parquet', size: 10, sample: '' },
      ],
    })
    expect(asked.body).toMatchObject({
      files: [
        { uploadMode: 'lfs', oid: null },
        { uploadMode: 'regular', oid: expect.stringMatching(/^[0-9a-f]{40}$/) as string },
        { uploadMode: 'lfs', oid: null },
      ],
    })
    const own = await hub('POST', `/api/models/${repo}/preupload/main`, ada, {
      files: [{ path: 'notes.txt', size: 10, sample: '' }],
      gitAttributes: '*.txt filter=lfs',
    })
    expect(own.body).toMatchObject({ files: [{ uploadMode: 'lfs' }] })
    const { body } = await batch(repo, [{ oid, size: bytes.length }])
    const [{ actions }] = (body as { objects: [{ actions: { upload: { href: string }; verify: { href: string } } }] })
      .objects
    const link = actions.upload.href.slice('http://registry.test:8080'.length)
    const put = (path: string, content: Uint8Array) => world.call('PUT', path, { body: content })
    expect((await put(link.replace(oid, 'b'.repeat(64)), bytes)).status).toBe(403)
    expect((await put(link.replace('sig=', 'sig=x'), bytes)).status).toBe(403)
    expect((await put(link, Buffer.from('another file'))).status).toBe(400)
    expect((await put(link, Buffer.from('short'))).status).toBe(400)
    expect(await world.registry.blobs.size(oid)).toBeUndefined()
    expect((await put(link, bytes)).status).toBe(200)
    const verify = (size: number) => hub('POST', `/lfs/${oid}/verify`, ada, { oid, size })
    expect([(await verify(bytes.length)).status, (await verify(1)).status]).toEqual([200, 404])
    // What is there needs no link.
    expect((await batch(repo, [{ oid, size: bytes.length }])).body).toMatchObject({ objects: [{ oid }] })
    const value = { path: 'big.bin', algo: 'sha256', oid, size: bytes.length }
    expect((await commit(repo, { key: 'lfsFile', value })).status).toBe(200)
    const head = await hub('HEAD', `/${repo}/resolve/main/big.bin`)
    expect([head.headers.get('x-linked-etag'), head.headers.get('x-linked-size')]).toEqual([
      `"${oid}"`,
      String(bytes.length),
    ])
  })

  it('are refused without permission, and with bad requests', async () => {
    const repo = await newRepo()
    expect((await batch(repo, [{ oid, size: 1 }], ben)).status).toBe(403)
    expect((await batch(repo, [{ oid, size: 1 }], reader)).status).toBe(403)
    expect((await batch(repo, [{ oid: 'x', size: 1 }])).status).toBe(400)
    expect((await batch(repo, [{ oid, size: -1 }])).status).toBe(400)
    expect((await batch(repo, [], ada, 'download')).status).toBe(400)
  })
})

describe('branches and tags', () => {
  it('are made, listed, read and deleted', async () => {
    const repo = await newRepo()
    const api = `/api/models/${repo}`
    expect((await hub('POST', `${api}/tag/main`, ada, { tag: 'v1' })).status).toBe(201)
    expect((await hub('POST', `${api}/tag/main`, ada, { tag: 'v1' })).status).toBe(409)
    expect((await hub('POST', `${api}/branch/dev`, ada, {})).status).toBe(201)
    expect((await hub('POST', `${api}/branch/dev`, ben, {})).status).toBe(403)
    expect((await hub('POST', `${api}/branch/bad..name`, ada, {})).status).toBe(400)
    expect((await hub('POST', `${api}/branch/x`, ada, { startingPoint: 'absent' })).status).toBe(404)
    await commit(repo, file('new', 'x'))
    expect(await paths(repo, 'v1')).toEqual(['.gitattributes'])
    expect(await paths(repo, 'refs%2Fheads%2Fdev')).toEqual(['.gitattributes'])
    expect((await hub('GET', `${api}/refs`)).body).toMatchObject({
      branches: [{ name: 'main' }, { name: 'dev', ref: 'refs/heads/dev' }],
      tags: [{ name: 'v1' }],
    })
    expect((await hub('DELETE', `${api}/tag/v1`)).status).toBe(200)
    expect((await hub('DELETE', `${api}/tag/v1`)).status).toBe(404)
    expect((await hub('DELETE', `${api}/branch/dev`)).status).toBe(200)
    expect((await hub('DELETE', `${api}/branch/main`)).status).toBe(400)
    expect((await hub('GET', `${api}/revision/v1`)).headers.get('x-error-code')).toBe('RevisionNotFound')
  })
})

it('is at the root, too, for clients that take no path in their endpoint', async () => {
  const options = { headers: { authorization: `Bearer ${ada}` } }
  const { body } = await world.call('POST', '/api/repos/create', {
    ...options,
    body: { name: 'rooted', type: 'dataset' },
  })
  expect(body).toMatchObject({ url: 'http://registry.test:8080/datasets/ada/rooted' })
  const read = (path: string) => world.call('GET', path, options)
  expect((await read('/datasets/ada/rooted/resolve/main/.gitattributes')).status).toBe(200)
  expect((await read('/api/datasets/ada/rooted')).body).toMatchObject({ id: 'ada/rooted' })
  const batch = await world.call('POST', '/datasets/ada/rooted.git/info/lfs/objects/batch', {
    ...options,
    body: { operation: 'upload', objects: [{ oid: 'a'.repeat(64), size: 1 }] },
  })
  expect(batch.text).toContain('"href":"http://registry.test:8080/lfs/')
})

it('says who one is, and what is not there', async () => {
  expect((await hub('GET', '/api/whoami-v2')).body).toMatchObject({
    name: 'ada',
    auth: { accessToken: { role: 'write' } },
  })
  expect((await hub('GET', '/api/whoami-v2', '')).status).toBe(401)
  expect((await hub('GET', '/api/agent-harnesses')).status).toBe(404)
  // Clients send no token with a card.
  expect((await hub('POST', '/api/validate-yaml', '', { content: 'x' })).body).toEqual({ errors: [], warnings: [] })
  const moved = await hub('POST', '/api/repos/move', ada, { fromRepo: 'ada/a', toRepo: 'ada/b' })
  expect([moved.status, moved.headers.get('x-error-code')]).toEqual([404, null])
  expect(moved.headers.get('x-error-message')).toBe('this registry does not offer POST /api/repos/move')
  expect((await hub('PATCH', '/api/whoami-v2')).status).toBe(405)
})
