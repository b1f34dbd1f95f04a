import { describe, expect, it } from 'vitest'
import { bytes, keysOf, model, sha256, stream, url, world } from '../testing/registry-world.ts'
import { blobKey, commitKey, metadataKey, sourceClaimKey } from './keys.ts'
import { verifyRegistry } from './verify.ts'

describe('blobs', () => {
  it('are visible only with the contents of their name', async () => {
    const { blobs, store } = world().process()
    const stored = await blobs.put(bytes('hello'))
    expect(stored).toEqual({ sha256: sha256('hello'), sizeBytes: 5 })
    expect(await blobs.get(stored.sha256, { offset: 1, length: 3 })).toEqual(bytes('ell'))
    await expect(blobs.put(bytes('hello'), sha256('other'))).rejects.toMatchObject({
      kind: 'invalid',
      code: 'blob-digest',
    })
    await expect(blobs.upload(stream('hel', 'LO'), sha256('hello, you'))).rejects.toMatchObject({ code: 'blob-digest' })
    expect(await keysOf(store, 'registry/blobs/')).toEqual([blobKey(stored.sha256)])
    expect(await blobs.upload(stream('big', ' file'), sha256('big file'))).toEqual({
      sha256: sha256('big file'),
      sizeBytes: 8,
    })
    expect(await blobs.get(sha256('big file'))).toEqual(bytes('big file'))
    expect(await blobs.get(sha256('absent'))).toBeUndefined()
    await expect(blobs.get('../x')).rejects.toMatchObject({ kind: 'invalid' })
  })

  it('whose bytes were changed in the store are an error', async () => {
    const { blobs, store } = world().process()
    const { sha256: digest } = await blobs.put(bytes('hello'))
    await store.put(blobKey(digest), bytes('jello'))
    await expect(blobs.get(digest)).rejects.toMatchObject({ kind: 'corrupt', code: 'blob-damaged' })
  })

  it('an upload that breaks off leaves nothing', async () => {
    const { blobs, store } = world().process()
    async function* broken() {
      yield bytes('he')
      throw new Error('connection reset')
    }
    await expect(blobs.upload(broken(), sha256('hello'))).rejects.toThrow('connection reset')
    expect(await keysOf(store, 'registry/blobs/')).toEqual([])
  })
})

describe('commits', () => {
  const prepared = async () => {
    const made = world()
    const first = made.process()
    return {
      ...made,
      ...first,
      id: (await first.artifacts.register(model())).id,
      a: await first.blobs.put(bytes('a')),
      b: await first.blobs.put(bytes('b')),
    }
  }

  it('keep every version, and resolve by branch, HEAD and id', async () => {
    const { commits, id, a, b } = await prepared()
    const one = await commits.commit(id, { message: 'one', by: 'ada', changes: { 'x/a.txt': a, 'b.txt': b } })
    const two = await commits.commit(id, { message: 'two', by: 'ada', changes: { 'x/a.txt': b, 'b.txt': null } })
    expect(two.files).toEqual({ 'x/a.txt': b })
    expect(await commits.resolve(id, 'main')).toEqual(two)
    expect(await commits.resolve(id, 'HEAD')).toEqual(two)
    expect(await commits.resolve(id, one.oid)).toEqual(one)
    expect((await commits.history(id, two.oid, 10)).map(({ message }) => message)).toEqual(['two', 'one'])
    await expect(commits.resolve(id, 'gone')).rejects.toMatchObject({ kind: 'not-found', code: 'revision-not-found' })
    await expect(commits.resolve(id, 'constructor')).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('of one branch at the same time are all kept; with a parent, one is', async () => {
    const { process, id, a, commits } = await prepared()
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        process().commits.commit(id, { message: `${n}`, by: 'ada', changes: { [`${n}`]: a } }),
      ),
    )
    const head = await commits.resolve(id, 'main')
    expect(Object.keys(head.files)).toHaveLength(8)
    expect(await commits.history(id, head.oid, 100)).toHaveLength(8)
    const both = await Promise.allSettled(
      ['p', 'q'].map((path) =>
        process().commits.commit(id, { message: path, by: 'ada', parent: head.oid, changes: { [path]: a } }),
      ),
    )
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { kind: 'conflict', code: 'stale-parent' },
    })
  })

  it.each(['', '/x', 'a//b', '../x', 'a/./b', '.git/config', 'a\\b', 'x\u0000', 'a/__proto__', 'x'.repeat(2_000)])(
    '%j is no path',
    async (path) => {
      const { commits, id, a } = await prepared()
      const commit = commits.commit(id, { message: '', by: 'ada', changes: Object.fromEntries([[path, a]]) })
      await expect(commit).rejects.toMatchObject({ kind: 'invalid', code: 'file-path' })
    },
  )

  it('need their contents, and a branch needs a name', async () => {
    const { commits, id, a } = await prepared()
    const commit = (file: { sha256: string; sizeBytes: number }, branch = 'main') =>
      commits.commit(id, { message: '', by: 'ada', branch, changes: { x: file } })
    await expect(commit({ sha256: sha256('absent'), sizeBytes: 1 })).rejects.toMatchObject({ code: 'blob-missing' })
    await expect(commit({ ...a, sizeBytes: 9 })).rejects.toMatchObject({ code: 'blob-missing' })
    await expect(commit({ sha256: '../x', sizeBytes: 9 })).rejects.toMatchObject({ code: 'blob-missing' })
    for (const branch of ['', 'HEAD', '../x', 'a'.repeat(40), '__proto__'])
      await expect(commit(a, branch)).rejects.toMatchObject({ code: 'ref-name' })
  })
})

describe('verify', () => {
  it('names what is damaged or missing', async () => {
    const { process, store } = world()
    const { artifacts, blobs, commits, documents } = process()
    const { id } = await artifacts.register(model())
    const blob = await blobs.put(bytes('weights'))
    const { oid } = await commits.commit(id, { message: 'one', by: 'ada', changes: { 'model.bin': blob } })
    const verify = () => verifyRegistry({ store, documents, blobs })
    expect(await verify()).toEqual({ artifacts: 1, fileBytes: 7, findings: [] })

    await store.delete([blobKey(blob.sha256)])
    expect((await verify()).findings).toEqual([expect.objectContaining({ key: commitKey(id, oid) })])
    await store.delete([commitKey(id, oid), sourceClaimKey('model', url)])
    expect((await verify()).findings.map(({ key }) => key)).toEqual([sourceClaimKey('model', url), commitKey(id, oid)])
    const got = await store.get(metadataKey(id))
    const text = new TextDecoder().decode(got.status === 'ok' ? got.body : bytes(''))
    await store.put(metadataKey(id), bytes(text.replace('tern-small', 'tern-large')))
    expect((await verify()).findings).toEqual([{ key: metadataKey(id), text: expect.stringContaining('checksum') }])
    await expect(artifacts.get(id)).rejects.toMatchObject({ kind: 'corrupt', code: 'registry-damaged' })
  })
})
