import { describe, expect } from 'vitest'
import type { BlobTests } from './blob-store-testing.contract.ts'
import { blobOf } from './blob-store-testing.contract.ts'
import type { ListVersionsOptions } from './blob-store.ts'
import { blobText, bytes } from './store-testing.contract.ts'

export function testBlobVersions({ test, store }: BlobTests): void {
  const read = async (key: string, versionId?: string) => {
    const got = await store().get(key, versionId === undefined ? {} : { versionId })
    return got.status === 'ok' ? blobText(got.body) : got.status
  }
  const versions = async (options: ListVersionsOptions = {}) => {
    const found: string[] = []
    let after: ListVersionsOptions['after']
    do {
      const page = await store().listVersions({ ...options, ...(after && { after }) })
      for (const one of page.versions)
        found.push(`${one.key} ${one.isDeleteMarker ? 'marker' : one.sizeBytes}${one.isLatest ? ' latest' : ''}`)
      found.push(...page.prefixes)
      after = page.next
    } while (after !== undefined)
    return found
  }

  describe('versions', () => {
    test('are kept when they are enabled', async () => {
      expect(await store().versioning()).toBe('off')
      await store().put('k', bytes('1'))
      await store().setVersioning('enabled')
      expect(await store().versioning()).toBe('enabled')
      const second = blobOf(await store().put('k', bytes('22')))
      const third = blobOf(await store().put('k', bytes('333')))
      expect(second.versionId).not.toBe(third.versionId)
      expect(await read('k')).toBe('333')
      expect(await read('k', second.versionId)).toBe('22')
      expect(await read('k', 'null')).toBe('1')
      expect(await versions()).toEqual(['k 3 latest', 'k 2', 'k 1'])
      expect(await versions({ limit: 1 })).toEqual(['k 3 latest', 'k 2', 'k 1'])
    })

    test('are hidden by a delete marker, and come back without it', async () => {
      await store().setVersioning('enabled')
      const one = blobOf(await store().put('k', bytes('1')))
      const marker = await store().delete('k')
      expect(marker).toMatchObject({ status: 'ok', isDeleteMarker: true })
      expect(await read('k')).toMatch(/delete-marker|not-found/)
      expect((await store().list()).blobs).toEqual([])
      expect(await read('k', one.versionId)).toBe('1')
      if (marker.status !== 'ok' || marker.versionId === undefined) throw new Error('no marker')
      expect(await store().delete('k', { versionId: marker.versionId })).toMatchObject({ status: 'ok' })
      expect(await read('k')).toBe('1')
    })

    test('are deleted forever by their id', async () => {
      await store().setVersioning('enabled')
      const one = blobOf(await store().put('k', bytes('1')))
      const two = blobOf(await store().put('k', bytes('22')))
      await store().delete('k', { versionId: two.versionId as string })
      expect(await read('k')).toBe('1')
      await store().delete('k', { versionId: one.versionId as string })
      expect(await versions()).toEqual([])
    })

    test('of a suspended bucket have one without an id', async () => {
      await store().setVersioning('enabled')
      await store().put('k', bytes('1'))
      await store().setVersioning('suspended')
      await store().put('k', bytes('22'))
      await store().put('k', bytes('333'))
      expect(await versions()).toEqual(['k 3 latest', 'k 1'])
      await store().delete('k')
      expect(await versions()).toEqual(['k marker latest', 'k 1'])
    })

    test('are listed by prefix, in order of keys', async () => {
      await store().setVersioning('enabled')
      for (const key of ['b/1', 'a', 'b/2', 'c', 'a']) await store().put(key, bytes(key))
      expect(await versions({ limit: 2 })).toEqual(['a 1 latest', 'a 1', 'b/1 3 latest', 'b/2 3 latest', 'c 1 latest'])
      expect(await versions({ delimiter: '/', limit: 1 })).toEqual(['a 1 latest', 'a 1', 'b/', 'c 1 latest'])
      expect(await versions({ prefix: 'b/' })).toEqual(['b/1 3 latest', 'b/2 3 latest'])
    })
  })
}
