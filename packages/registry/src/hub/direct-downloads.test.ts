import { expect, it } from 'vitest'
import { sha256 } from '../testing/registry-world.ts'
import { servedRegistry } from '../testing/served-registry.ts'

it.each([true, false])(
  'large files are read from the bucket itself where it signs links: %s',
  async (directDownloads) => {
    const world = await servedRegistry({}, { directDownloads })
    const presignGet = (key: string, { expiresInMs }: { expiresInMs: number }) =>
      Promise.resolve(`https://bucket.test/${key}?for=${expiresInMs}`)
    Object.assign(world.registry.store, { presignGet })
    try {
      const headers = { authorization: (await world.logIn()).replace('bearer', 'Bearer') }
      await world.call('POST', '/hub/api/repos/create', { headers, body: { name: 'pocket' } })
      const [weights, text] = ['weights', 'text'] as const
      const blob = await world.registry.blobs.put(new TextEncoder().encode(weights))
      const lines = [
        { key: 'header', value: { summary: 'first' } },
        { key: 'lfsFile', value: { path: 'model.safetensors', oid: blob.sha256, size: blob.sizeBytes } },
        {
          key: 'file',
          value: { path: 'README.md', content: Buffer.from(text).toString('base64'), encoding: 'base64' },
        },
      ]
      const body = lines.map((line) => JSON.stringify(line)).join('\n')
      await world.call('POST', '/hub/api/models/root/pocket/commit/main', { headers, body })
      const path = '/hub/root/pocket/resolve/main'
      for (const method of ['HEAD', 'GET']) {
        const large = await world.call(method, `${path}/model.safetensors`, { headers })
        expect(large.status).toBe(directDownloads ? 302 : 200)
        expect(large.headers.get('x-linked-etag')).toBe(`"${sha256(weights)}"`)
        expect(large.headers.get('x-linked-size')).toBe('7')
        expect(large.headers.get('x-repo-commit')).toMatch(/^[0-9a-f]{40}$/)
        if (directDownloads) {
          expect(large.headers.get('location')).toBe(
            `https://bucket.test/registry/blobs/${sha256(weights)}?for=3600000`,
          )
          expect(large.headers.get('content-length')).toBe('0')
        }
        expect((await world.call(method, `${path}/README.md`, { headers })).status).toBe(200)
      }
      // To another port of the same host, clients would send their token, which a bucket refuses.
      const besideIt = (key: string) => Promise.resolve(`http://registry.test:9000/${key}?for=3600000`)
      Object.assign(world.registry.store, { presignGet: besideIt })
      const through = await world.call('GET', `${path}/model.safetensors`, { headers })
      expect([through.status, through.text]).toEqual([200, weights])
      // Who may not read the file gets no link.
      expect((await world.call('GET', `${path}/model.safetensors`)).headers.get('location')).toBeNull()
    } finally {
      await world.close()
    }
  },
)
