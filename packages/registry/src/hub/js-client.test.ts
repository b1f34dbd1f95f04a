/** Hugging Face's own client for JavaScript, unchanged, with this registry as its `hubUrl`. */
import { createHash, randomBytes } from 'node:crypto'
import {
  commit,
  createBranch,
  createRepo,
  deleteFiles,
  deleteRepo,
  downloadFile,
  fileDownloadInfo,
  fileExists,
  listCommits,
  listFiles,
  listModels,
  modelInfo,
  pathsInfo,
  repoExists,
  snapshotDownload,
  uploadFiles,
  whoAmI,
} from '@huggingface/hub'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ORIGIN, type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'

const repo = 'ada/tern'
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const text = (value: string) => new Blob([value])

let world: ServedRegistry
let as: { hubUrl: string; fetch: typeof fetch; accessToken: string }
let ben: typeof as

async function keyOf(name: string): Promise<string> {
  const secret = { password: 'a long password' }
  const body = { user: { name, is_admin: false }, secret }
  await world.call('POST', '/register', { token: await world.logIn(), body })
  const token = await world.logIn(name, secret.password)
  const made = await world.call('POST', `/user/${name}/keys`, { token, body: {} })
  return (made.body as { token: string }).token
}

beforeAll(async () => {
  world = await servedRegistry()
  const asked: typeof fetch = (input, init) =>
    // A stream as a body needs to be said so, as by every fetch.
    world.service.fetch(new Request(input, { ...init, duplex: 'half' } as RequestInit), '192.0.2.1')
  const common = { hubUrl: `${ORIGIN}/hub`, fetch: asked }
  as = { ...common, accessToken: await keyOf('ada') }
  ben = { ...common, accessToken: await keyOf('ben') }
})
afterAll(() => world.close())

async function namesOf(options: { revision?: string; recursive?: boolean } = {}): Promise<string[]> {
  const names: string[] = []
  for await (const { path } of listFiles({ ...as, repo, recursive: true, ...options })) names.push(path)
  return names.filter((path) => path !== '.gitattributes').sort()
}

describe.each([
  ['Git LFS', false],
  ['Xet', true],
])('@huggingface/hub with %s', (_, useXet) => {
  it('keeps a private repository from upload to deletion', async () => {
    const large = randomBytes(10_500_000)
    expect(await whoAmI(as)).toMatchObject({ type: 'user', name: 'ada' })
    await createRepo({ ...as, repo, private: true })
    expect(await repoExists({ ...as, repo })).toBe(true)
    expect(await repoExists({ ...ben, repo })).toBe(false)
    await uploadFiles({
      ...as,
      repo,
      useXet,
      files: [
        { path: 'config.json', content: text('{"model_type":"bert"}') },
        { path: 'weights/model.safetensors', content: new Blob([large]) },
      ],
    })
    const xorbs = await world.registry.store.list('registry/xorbs/')
    expect(xorbs.objects.length > 0).toBe(useXet)
    expect(await namesOf()).toEqual(['config.json', 'weights', 'weights/model.safetensors'])
    const config = await downloadFile({ ...as, repo, path: 'config.json' })
    expect(await config?.text()).toBe('{"model_type":"bert"}')
    const weights = await downloadFile({ ...as, repo, path: 'weights/model.safetensors' })
    const got = new Uint8Array((await weights?.arrayBuffer()) ?? new ArrayBuffer(0))
    expect([got.length, sha256(got)]).toEqual([large.length, sha256(large)])
    expect(await fileExists({ ...as, repo, path: 'config.json' })).toBe(true)
    expect(await fileExists({ ...as, repo, path: 'none' })).toBe(false)
    expect(await downloadFile({ ...as, repo, path: 'none' })).toBeNull()
    expect(await fileDownloadInfo({ ...as, repo, path: 'weights/model.safetensors' })).toMatchObject({
      size: large.length,
    })
    await createBranch({ ...as, repo, branch: 'dev' })
    await commit({
      ...as,
      repo,
      title: 'two things',
      operations: [
        { operation: 'addOrUpdate', path: 'README.md', content: text('---\nlicense: mit\n---\n# Tern\n') },
        { operation: 'delete', path: 'weights/model.safetensors' },
      ],
    })
    expect(await namesOf()).toEqual(['README.md', 'config.json'])
    expect(await namesOf({ revision: 'dev' })).toEqual(['config.json', 'weights', 'weights/model.safetensors'])
    await deleteFiles({ ...as, repo, paths: ['config.json'] })
    const commits = []
    for await (const { title } of listCommits({ ...as, repo })) commits.push(title)
    expect(commits.slice(0, 2)[1]).toBe('two things')
    const [info] = await pathsInfo({ ...as, repo, paths: ['README.md', 'none'] })
    expect(info).toMatchObject({ path: 'README.md', type: 'file' })
    expect(await modelInfo({ ...as, name: repo })).toMatchObject({ name: repo, private: true })
    const models = []
    for await (const { name } of listModels({ ...as, search: { owner: 'ada' } })) models.push(name)
    expect(models).toEqual([repo])
    await deleteRepo({ ...as, repo })
    expect(await repoExists({ ...as, repo })).toBe(false)
    await expect(snapshotDownload({ ...as, repo })).rejects.toMatchObject({ statusCode: 404 })
  })
})
