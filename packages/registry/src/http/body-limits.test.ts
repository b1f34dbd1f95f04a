import { expect, it } from 'vitest'
import { sha256 } from '../testing/registry-world.ts'
import { servedRegistry } from '../testing/served-registry.ts'

const bodyLimits = { requestBytes: 1_000, answerBytes: 1_000, directBytes: 10_000, remedy: 'use a server' }
const large = new TextEncoder().encode('x'.repeat(1_001))

it('tells the limits of what stands before the registry, and a remedy, in the words of each API', async () => {
  const world = await servedRegistry({ bodyLimits })
  try {
    const token = await world.logIn()
    const headers = { authorization: token.replace('bearer', 'Bearer') }
    await world.call('POST', '/hub/api/repos/create', { headers, body: { name: 'pocket' } })

    const sized = { 'content-length': String(large.length) }
    const rest = await world.call('POST', '/artifacts', { token, body: large, headers: sized })
    expect(rest).toMatchObject({ status: 413, body: { error: { code: 'body-too-large' } } })
    expect(rest.text).toContain('at most 1000 reach this registry: use a server')
    const commit = '/hub/api/models/root/pocket/commit/main'
    const hub = await world.call('POST', commit, { headers: { ...headers, ...sized }, body: large })
    expect(hub.status).toBe(413)
    expect(hub.headers.get('x-error-message')).toContain('use a server')

    const batch = (size: number, oid: string) =>
      world.call('POST', '/hub/root/pocket.git/info/lfs/objects/batch', {
        headers,
        body: { operation: 'upload', transfers: ['basic', 'xet'], objects: [{ oid, size }] },
      })
    const refused = await batch(large.length, sha256('none'))
    expect(refused.status).toBe(413)
    expect(refused.headers.get('x-error-message')).toContain('1001 bytes')
    // A file that would fill the body of a commit is sent by itself.
    const files = [
      { path: 'small.txt', size: 250 },
      { path: 'large.txt', size: 251 },
    ]
    const preupload = '/hub/api/models/root/pocket/preupload/main'
    expect(await world.call('POST', preupload, { headers, body: { files } })).toMatchObject({
      body: { files: [{ uploadMode: 'regular' }, { uploadMode: 'lfs' }] },
    })
    const tooLarge = { files: [{ path: 'model.bin', size: large.length }] }
    const named = await world.call('POST', preupload, { headers, body: tooLarge })
    expect(named.status).toBe(413)
    expect(named.headers.get('x-error-message')).toContain('the file model.bin has 1001 bytes')
    // Xet packs many files into one body.
    expect(await batch(1_000, sha256('none'))).toMatchObject({ status: 200, body: { transfer: 'basic' } })
    // What is there need not be sent.
    const stored = await world.registry.blobs.put(large)
    expect((await batch(stored.sizeBytes, stored.sha256)).status).toBe(200)

    const lines = [
      { key: 'header', value: { summary: 'first' } },
      { key: 'lfsFile', value: { path: 'model.bin', oid: stored.sha256, size: stored.sizeBytes } },
    ]
    const committed = await world.call('POST', commit, {
      headers,
      body: lines.map((l) => JSON.stringify(l)).join('\n'),
    })
    expect(committed.status).toBe(200)
    // It may be there already.
    expect((await world.call('POST', preupload, { headers, body: tooLarge })).status).toBe(200)
    const read = (range: string) =>
      world.call('GET', '/hub/root/pocket/resolve/main/model.bin', { headers: { ...headers, range } })
    const whole = await read('')
    expect(whole.status).toBe(413)
    expect(whole.headers.get('x-error-message')).toContain('use a server')
    expect(await read('bytes=0-999')).toMatchObject({ status: 206, text: 'x'.repeat(1_000) })
  } finally {
    await world.close()
  }
})
