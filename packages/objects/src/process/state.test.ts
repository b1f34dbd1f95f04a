import { crcHex, seededRandom, systemClock, systemIds } from 'siltstone/internal'
import { faultyObjectStore, memoryEnvironment } from 'siltstone/testing'
import { describe, expect, it } from 'vitest'
import { decodeState, encodeState, isGoneBySize, newState, type ObjectState, stateKey } from './state.ts'
import { StateStore } from './state-store.ts'

const state: ObjectState = {
  ...newState('media', 'uploads/tälk.mp4'),
  progress: 'done',
  object: { version: 'v1', etag: '"v1"', sizeBytes: 7, modifiedAtMs: 5 },
  run: 1,
  attempt: 1,
  handOver: { tier: 'media', untilMs: 9_000, recipient: null },
  processor: { name: 'media', version: '1' },
  contentType: 'video/mp4',
  steps: { container: { state: 'done', records: 1 } },
  collections: ['media'],
  records: 1,
  isWhole: true,
  sideCars: [{ key: 'uploads/tälk.srt', version: null }],
  startedAtMs: 1_000,
  changedAtMs: 2_000,
  writes: ['01J'],
}

/** Format 1, which is read. */
const GOLDEN_1 =
  '{"crc32":"aa7aabd7","body":{"format":"siltstone.object-state","version":1,"bucket":"media","key":"uploads/tälk.mp4","progress":"done","object":{"version":"v1","etag":"\\"v1\\"","sizeBytes":7,"modifiedAtMs":5},"run":1,"attempt":1,"claim":null,"mustFence":false,"retryAtMs":null,"error":null,"processor":{"name":"media","version":"1"},"contentType":"video/mp4","steps":{"container":{"state":"done","records":1}},"collections":["media"],"records":1,"derivedRuns":[],"startedAtMs":1000,"changedAtMs":2000,"history":[],"writes":["01J"]}}'

/** Format 2, which is read. */
const GOLDEN_2 =
  '{"crc32":"b1f8cce7","body":{"format":"siltstone.object-state","version":2,"bucket":"media","key":"uploads/tälk.mp4","progress":"done","object":{"version":"v1","etag":"\\"v1\\"","sizeBytes":7,"modifiedAtMs":5},"run":1,"attempt":1,"claim":null,"mustFence":false,"retryAtMs":null,"error":null,"processor":{"name":"media","version":"1"},"contentType":"video/mp4","steps":{"container":{"state":"done","records":1}},"collections":["media"],"records":1,"isWhole":true,"sideCars":[{"key":"uploads/tälk.srt","version":null}],"derivedRuns":[],"startedAtMs":1000,"changedAtMs":2000,"history":[],"writes":["01J"]}}'

/** Format 3. A change of it breaks stores that exist. */
const GOLDEN =
  '{"crc32":"ccd41d4e","body":{"format":"siltstone.object-state","version":3,"bucket":"media","key":"uploads/tälk.mp4","progress":"done","object":{"version":"v1","etag":"\\"v1\\"","sizeBytes":7,"modifiedAtMs":5},"run":1,"attempt":1,"lost":0,"claim":null,"mustFence":false,"handOver":{"tier":"media","untilMs":9000,"recipient":null},"retryAtMs":null,"error":null,"processor":{"name":"media","version":"1"},"contentType":"video/mp4","steps":{"container":{"state":"done","records":1}},"collections":["media"],"records":1,"isWhole":true,"sideCars":[{"key":"uploads/tälk.srt","version":null}],"derivedRuns":[],"startedAtMs":1000,"changedAtMs":2000,"history":[],"writes":["01J"]}}'

describe('the stored state', () => {
  it('has these bytes', () => {
    const text = Buffer.from(encodeState(state)).toString('utf8')
    expect(text.trimEnd()).toBe(GOLDEN)
    expect(decodeState(Buffer.from(text), 'k')).toEqual(state)
    expect(stateKey('media', 'a')).toBe(
      'objects/media/ca/ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb.json',
    )
  })

  it('of format 1 is read: what is done is whole, and of the rest that is not known', () => {
    expect(decodeState(Buffer.from(GOLDEN_1), 'k')).toEqual({ ...state, sideCars: [], handOver: null })
    const queued = GOLDEN_1.slice(0, -1).replace('"done"', '"queued"').slice('{"crc32":"aa7aabd7","body":'.length)
    const text = `{"crc32":"${crcHex(Buffer.from(queued))}","body":${queued}}`
    expect(decodeState(Buffer.from(text), 'k')).toEqual({
      ...state,
      progress: 'queued',
      isWhole: false,
      sideCars: [],
      handOver: null,
    })
  })

  it('of format 2 is read: any worker works on it, and nothing was counted as lost', () => {
    expect(decodeState(Buffer.from(GOLDEN_2), 'k')).toEqual({ ...state, handOver: null })
  })

  it('shows by its size whether there is anything to look after', () => {
    for (const key of ['a', 'aa', 'aaa', 'ä']) {
      expect(isGoneBySize(encodeState({ ...state, key }).length)).toBe(false)
      expect(isGoneBySize(encodeState({ ...state, key, progress: 'gone', object: null }).length)).toBe(true)
    }
  })

  it('is refused when it is damaged or newer', () => {
    const text = Buffer.from(encodeState(state)).toString('utf8').trimEnd()
    const refused = (bytes: string, code: string) =>
      expect(() => decodeState(Buffer.from(bytes), 'objects/x')).toThrow(
        expect.objectContaining({ code, key: 'objects/x' }),
      )
    refused(text.replace('"run":1', '"run":2'), 'object-state-damaged')
    refused('{}', 'object-state-damaged')
    const other = (more: object) => Buffer.from(encodeState({ ...state, ...more } as ObjectState)).toString('utf8')
    refused(other({ version: 4 }), 'unknown-format-version')
    refused(other({ progress: 'odd' }), 'object-state-damaged')
    refused(other({ isWhole: 1 }), 'object-state-damaged')
    refused(other({ sideCars: [{ key: 'a' }] }), 'object-state-damaged')
    refused(other({ claim: { id: 'x' } }), 'object-state-damaged')
    refused(other({ handOver: { tier: 'moon', untilMs: 0, recipient: null } }), 'object-state-damaged')
  })
})

describe('the store of states', () => {
  it('writes by compare-and-swap, and recognises a write whose answer was lost', async () => {
    const { store } = memoryEnvironment({ seed: 1 })
    const ids = systemIds(systemClock, seededRandom(1))
    const states = new StateStore(store, ids)
    const first = await states.write(state, undefined)
    expect(await states.write(state, undefined)).toBeUndefined()
    const second = await states.write({ ...state, run: 2 }, first)
    expect(await states.write({ ...state, run: 3 }, first)).toBeUndefined()
    expect((await states.read('media', state.key))?.state.run).toBe(2)

    for (const [run, fault] of (['after', 'refused-after'] as const).entries()) {
      const before = await states.read('media', state.key)
      const lost = new StateStore(
        faultyObjectStore(store, { fault: (_, isWrite) => (isWrite ? fault : undefined) }),
        ids,
      )
      expect((await lost.write({ ...state, run: 10 + run }, before))?.state.run).toBe(10 + run)
      expect(await lost.write({ ...state, run: 99 }, second)).toBeUndefined()
    }
  })
})
