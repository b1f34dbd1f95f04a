import { describe, expect, it } from 'vitest'
import { decide, type Facts } from './decide.ts'
import { newState, type ObjectState } from './state.ts'

const version = (name: string) => ({ version: name, etag: `"${name}"`, sizeBytes: 1, modifiedAtMs: 500 })
const state = (more: Partial<ObjectState>): ObjectState => ({
  ...newState('media', 'a'),
  object: version('v1'),
  ...more,
})
const given = (more: Partial<Facts>) =>
  decide({ state: undefined, object: version('v1'), isWanted: true, nowMs: 1_000, maxAttempts: 3, ...more })
const claim = (leaseUntilMs: number) => ({ id: 'c', owner: 'o', leaseUntilMs, step: 's' })

describe('what is done for a key', () => {
  it('of an object that nobody has seen', () => {
    expect(given({})).toEqual({ do: 'process', object: version('v1'), attempt: 1, lost: 0 })
    expect(given({ isWanted: false })).toEqual({ do: 'nothing' })
    expect(given({ object: undefined })).toEqual({ do: 'nothing' })
  })

  it('of an object whose state is about the same version', () => {
    for (const progress of ['done', 'dead'] as const)
      expect(given({ state: state({ progress }) })).toEqual({ do: 'nothing' })
    expect(given({ state: state({ progress: 'queued', attempt: 9 }) })).toMatchObject({ do: 'process', attempt: 1 })
    expect(given({ state: state({ progress: 'failed', attempt: 1, retryAtMs: 2_000 }) })).toEqual({
      do: 'wait',
      untilMs: 2_000,
    })
    expect(given({ state: state({ progress: 'failed', attempt: 1, retryAtMs: 900 }) })).toMatchObject({
      do: 'process',
      attempt: 2,
    })
  })

  it('of a claim: it is waited for while its lease lasts, then taken over, and buried at last', () => {
    const running = (leaseUntilMs: number, attempt: number) =>
      given({ state: state({ progress: 'running', attempt, claim: claim(leaseUntilMs) }) })
    expect(running(2_000, 1)).toEqual({ do: 'wait', untilMs: 2_000 })
    expect(running(1_000, 2)).toMatchObject({ do: 'process', attempt: 3 })
    expect(running(1_000, 3)).toMatchObject({ do: 'bury', attempt: 4 })
  })

  it('of a claim that was lost beside its processor: it is taken over, and buried much later', () => {
    const lost = (step: string, lost: number) =>
      given({ state: state({ progress: 'running', attempt: 3, lost, claim: { ...claim(1_000), step } }) })
    for (const step of ['start', 'waits', 'commit']) {
      expect(lost(step, 17)).toMatchObject({ do: 'process', attempt: 3, lost: 18 })
      expect(lost(step, 18)).toMatchObject({ do: 'bury', attempt: 3, lost: 19 })
    }
    expect(lost('process', 0)).toMatchObject({ do: 'bury', attempt: 4, lost: 0 })
  })

  it('of another version: a claim on the old one is taken over at once', () => {
    const old = state({ progress: 'running', attempt: 3, claim: claim(9_999), object: version('v0') })
    expect(given({ state: old })).toEqual({ do: 'process', object: version('v1'), attempt: 1, lost: 0 })
    expect(given({ state: old, object: undefined })).toEqual({ do: 'remove', attempt: 1, lost: 0 })
    // Records of a version that is no longer there go, also where a rule has stopped to process new ones.
    expect(given({ state: old, isWanted: false })).toEqual({ do: 'remove', attempt: 1, lost: 0 })
    expect(given({ state: state({ progress: 'done' }), isWanted: false })).toEqual({ do: 'nothing' })
  })

  it('of a deletion: it is done once, tried again forever, and undone by a new upload', () => {
    const gone = (more: Partial<ObjectState>) => state({ object: null, ...more })
    expect(given({ state: gone({ progress: 'gone' }), object: undefined })).toEqual({ do: 'nothing' })
    expect(given({ state: gone({ progress: 'failed', attempt: 99 }), object: undefined })).toEqual({
      do: 'remove',
      attempt: 100,
      lost: 0,
    })
    expect(given({ state: gone({ progress: 'gone' }) })).toMatchObject({ do: 'process', attempt: 1 })
  })

  it('of an expiry: the records stay, unless a rule says otherwise or somebody deleted the object', () => {
    const done = state({ progress: 'done', isWhole: true })
    const gone = { state: done, object: undefined }
    const keep = { ageMs: 400, keepsRecords: true }
    expect(given({ ...gone, expiry: keep })).toEqual({ do: 'expire' })
    expect(given({ ...gone, deleted: 'expired' })).toEqual({ do: 'expire' })
    for (const more of [
      {},
      { expiry: { ...keep, ageMs: 600 } },
      { expiry: { ...keep, keepsRecords: false } },
      { expiry: { ...keep, keepsRecords: false }, deleted: 'expired' as const },
      { expiry: keep, deleted: 'removed' as const },
    ])
      expect(given({ ...gone, ...more }), JSON.stringify(more)).toEqual({ do: 'remove', attempt: 1, lost: 0 })
    // What was never made cannot stay.
    for (const progress of ['queued', 'running', 'failed', 'dead'] as const)
      expect(given({ ...gone, state: state({ progress }), deleted: 'expired' })).toMatchObject({ do: 'remove' })
    // A replay takes nothing away before it has begun to write.
    for (const progress of ['queued', 'running', 'failed'] as const)
      expect(given({ ...gone, state: state({ progress, isWhole: true }), deleted: 'expired' })).toEqual({
        do: 'expire',
      })
    // It is still there: something else was deleted.
    expect(given({ state: done, deleted: 'expired', expiry: keep })).toEqual({ do: 'nothing' })
  })

  it('of what has expired: it stays, until somebody deletes it or uploads again', () => {
    const expired = state({ progress: 'expired', object: null })
    expect(given({ state: expired, object: undefined })).toEqual({ do: 'nothing' })
    expect(given({ state: expired, object: undefined, deleted: 'expired' })).toEqual({ do: 'nothing' })
    expect(given({ state: expired, object: undefined, deleted: 'removed' })).toMatchObject({ do: 'remove' })
    expect(given({ state: expired })).toMatchObject({ do: 'process', attempt: 1 })
  })

  it('of a hand-over: the tier is told, has time to begin, and is told again', () => {
    const handOver = (untilMs: number) => ({ tier: 'media' as const, untilMs, recipient: null })
    const others = { tier: 'media' as const, above: 'media' as const }
    const left = state({ progress: 'queued', attempt: 0, handOver: handOver(0) })
    expect(given({ state: left, ...others })).toMatchObject({ do: 'hand-over', tier: 'media', attempt: 1 })
    const told = (untilMs: number, attempt = 1) => state({ progress: 'queued', attempt, handOver: handOver(untilMs) })
    expect(given({ state: told(2_000), ...others })).toEqual({ do: 'wait', untilMs: 2_000 })
    expect(given({ state: told(1_000), ...others })).toMatchObject({ do: 'hand-over', attempt: 2 })
    expect(given({ state: told(1_000, 3), ...others })).toMatchObject({ do: 'bury', error: { code: 'worker-missing' } })
    // A worker of the tier begins at once, and the telling was its attempt.
    expect(given({ state: told(2_000, 2) })).toMatchObject({ do: 'process', attempt: 2 })
    expect(given({ state: told(2_000), object: version('v2'), ...others })).toMatchObject({ do: 'process', attempt: 1 })
    expect(given({ state: told(2_000), object: undefined, ...others })).toMatchObject({ do: 'remove' })
  })

  it('of work that failed at another tier: that tier does it again, and a higher one where its processes end', () => {
    const handOver = { tier: 'media' as const, untilMs: 500, recipient: null }
    const failed = state({ progress: 'failed', attempt: 1, retryAtMs: 2_000, handOver })
    expect(given({ state: failed, tier: 'media' })).toEqual({ do: 'wait', untilMs: 2_000 })
    expect(given({ state: { ...failed, retryAtMs: 900 }, tier: 'media' })).toMatchObject({
      do: 'hand-over',
      attempt: 2,
    })
    const lost = state({ progress: 'running', attempt: 3, claim: claim(1_000), handOver })
    expect(given({ state: lost, tier: 'media', above: 'task' })).toMatchObject({
      do: 'hand-over',
      tier: 'task',
      attempt: 1,
    })
    expect(given({ state: lost, tier: 'media' })).toMatchObject({ do: 'bury' })
  })
})
