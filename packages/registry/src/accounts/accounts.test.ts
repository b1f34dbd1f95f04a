import fc from 'fast-check'
import { type Clock, isSiltstoneError, type ObjectStore, SiltstoneError, systemRandom } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { describe, expect, it } from 'vitest'
import { Documents } from '../store/documents.ts'
import { keysOf } from '../testing/registry-world.ts'
import { Accounts, type AccountsOptions } from './accounts.ts'
import { hashPassword, isOutdated, verifyPassword } from './password.ts'
import { PasswordWork } from './password-work.ts'
import { RateLimit } from './rate-limit.ts'

const PASSWORD = `correct horse (__+@**(A'"\`;DROP TABLE packages;`
const admin = { name: 'root', password: PASSWORD }
const cost = { memoryKib: 16, passes: 1 }

function setUp() {
  const time = { nowMs: Date.UTC(2026, 10, 1) }
  const { clock: real, store, ids, random } = memoryEnvironment()
  const clock: Clock = { ...real, nowMs: () => time.nowMs, monotonicMs: () => time.nowMs }
  const process = (options: Partial<AccountsOptions> = {}, seen: ObjectStore = store) =>
    new Accounts({
      store: seen,
      documents: new Documents({ store: seen, clock, ids }),
      clock,
      random,
      admin,
      cost,
      ...options,
    })
  return { time, store, process }
}

const login = (
  accounts: Accounts,
  more: { name?: string; password?: string; claimsAdmin?: boolean; address?: string } = {},
) => accounts.logIn({ name: 'root', password: PASSWORD, claimsAdmin: false, address: '192.0.2.1', ...more })
const failureOf = (work: Promise<unknown>): Promise<SiltstoneError> =>
  work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => (isSiltstoneError(error) ? error : Promise.reject(error as Error)),
  )
const codeOf = async (work: Promise<unknown>) => (await failureOf(work)).code

it('makes keys that clients of the Hub accept, and knows them without the prefix of those', async () => {
  const one = setUp().process()
  await one.ensureAdmin()
  const session = await one.tokens.verify(await login(one), false)
  const { token } = await one.createKey(session, 'root', {})
  expect(token).toMatch(/^hf_st_[\w-]{43}$/)
  for (const each of [token, token.slice(3)]) {
    expect(await one.tokens.verify(each, false)).toMatchObject({ user: 'root', kind: 'key' })
  }
  expect(await codeOf(one.tokens.verify(`hf_${token}`, false))).toBe('token-unknown')
})

describe('passwords', () => {
  it('are kept as hashes that say how they were made', async () => {
    const less = { memoryKib: 32, passes: 1 }
    const hash = await hashPassword(PASSWORD, systemRandom, less)
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=32,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await verifyPassword(PASSWORD, hash)).toBe(true)
    expect(await verifyPassword(`${PASSWORD} `, hash)).toBe(false)
    expect([isOutdated(hash, less), isOutdated(hash, { ...less, memoryKib: 33 })]).toEqual([false, true])
    expect(isOutdated(hash, { ...less, passes: 2 })).toBe(true)
    expect(await hashPassword(PASSWORD, systemRandom, less)).not.toBe(hash)
    const others = ['plain text', hash.replace('m=32', 'm=9999999'), hash.replace('argon2id', 'argon2i'), `${hash}$`]
    for (const other of others) expect(await codeOf(verifyPassword('x', other))).toBe('password-hash')
    // As SECURITY.md says.
    expect(await hashPassword(PASSWORD, systemRandom)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    // Of the reference implementation.
    const known = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
    expect(await verifyPassword('password', known)).toBe(true)
  })

  it('by scrypt are still known, and have to be hashed again', async () => {
    const hash = await hashPassword(PASSWORD, systemRandom, { algorithm: 'scrypt', memoryKib: 32 })
    expect(hash).toMatch(/^\$scrypt\$ln=5,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    expect(await verifyPassword(PASSWORD, hash)).toBe(true)
    expect(await verifyPassword(`${PASSWORD} `, hash)).toBe(false)
    expect(isOutdated(hash, cost)).toBe(true)
    // In a Node without Argon2.
    const scrypt = { algorithm: 'scrypt', memoryKib: 32 } as const
    expect([isOutdated(hash, scrypt), isOutdated(hash, { ...scrypt, memoryKib: 64 })]).toEqual([false, true])
  })

  it('are hashed again at a login when hashes have become costlier', async () => {
    const { process, store } = setUp()
    await process().ensureAdmin()
    const text = async () => {
      const got = await store.get((await keysOf(store, 'users/'))[0] ?? '')
      return got.status === 'ok' ? new TextDecoder().decode(got.body) : ''
    }
    expect(await text()).toContain('m=16,t=1')
    await login(process({ cost: { memoryKib: 32, passes: 1 } }))
    expect(await text()).toContain('m=32,t=1')
    await login(process())
    expect(await text()).toContain('m=32,t=1')
  })

  it('are hashed two at a time, and what would have to wait long is refused', async () => {
    const work = new PasswordWork({ random: systemRandom, cost })
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => work.hash(PASSWORD)))
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(6)
    expect(refused[0]).toMatchObject({ reason: { code: 'too-many-logins' } })
    // Nothing is kept of the ones that have ended.
    const hash = await work.hash(PASSWORD)
    expect([await work.verify(PASSWORD, hash), await work.verify(PASSWORD, undefined)]).toEqual([true, false])
  })

  it('by scrypt become hashes by Argon2 at a login', async () => {
    const { process, store } = setUp()
    await process({ cost: { ...cost, algorithm: 'scrypt' } }).ensureAdmin()
    const text = async () => {
      const got = await store.get((await keysOf(store, 'users/'))[0] ?? '')
      return got.status === 'ok' ? new TextDecoder().decode(got.body) : ''
    }
    expect(await text()).toContain('$scrypt$')
    await login(process())
    expect(await text()).toContain('$argon2id$')
    await login(process())
  })
})

describe('the first admin', () => {
  it('comes from the configuration alone', async () => {
    const { process } = setUp()
    const none = process({ admin: undefined })
    await none.ensureAdmin()
    expect(await none.hasAdmin()).toBe(false)
    expect(await codeOf(login(none))).toBe('bad-credentials')
    await process().ensureAdmin()
    expect(await none.hasAdmin()).toBe(true)
    expect(await login(none, { claimsAdmin: true })).toMatch(/^st_[\w-]{43}$/)
  })

  it('is not made twice by processes that start at the same time', async () => {
    const { process } = setUp()
    await Promise.all(Array.from({ length: 5 }, () => process().ensureAdmin()))
    expect(await process().list()).toHaveLength(1)
  })
})

describe('logins', () => {
  it('are delayed after five failures from one address, in every process, and never from another', async () => {
    const { process, time } = setUp()
    const [one, two] = [process(), process()]
    await one.ensureAdmin()
    const wrong = (accounts = one) => failureOf(login(accounts, { password: 'a wrong password' }))
    for (let i = 0; i < 4; i++) expect((await wrong()).retryAfterMs).toBeUndefined()
    expect((await wrong()).retryAfterMs).toBe(2_000)
    expect(await codeOf(login(one))).toBe('bad-credentials')
    expect(await codeOf(login(two))).toBe('bad-credentials')
    await login(two, { address: '192.0.2.9' })
    time.nowMs += 2_001
    expect((await wrong(two)).retryAfterMs).toBe(4_000)
    time.nowMs += 4_001
    await login(two)
    expect((await wrong(two)).retryAfterMs).toBeUndefined()
    for (let i = 0; i < 30; i++) {
      time.nowMs += 16 * 60_000
      const { retryAfterMs = 0 } = await wrong()
      expect(retryAfterMs).toBeLessThanOrEqual(15 * 60_000)
    }
    time.nowMs += 16 * 60_000
    await login(one)
  })

  it('of names that do not exist are delayed alike', async () => {
    const { process } = setUp()
    const accounts = process()
    const wrong = () => failureOf(login(accounts, { name: 'nobody' }))
    for (let i = 0; i < 4; i++) expect((await wrong()).retryAfterMs).toBeUndefined()
    expect((await wrong()).retryAfterMs).toBe(2_000)
  })

  it('do not make an admin of who says so', async () => {
    const { process } = setUp()
    const accounts = process()
    await accounts.create('ada', 'a long password', ['search'])
    const ada = { name: 'ada', password: 'a long password' }
    expect(await codeOf(login(accounts, { ...ada, claimsAdmin: true }))).toBe('bad-credentials')
    const session = await accounts.tokens.verify(await login(accounts, ada), true)
    expect(session).toMatchObject({ user: 'ada', isAdmin: false, permissions: ['search'], kind: 'session' })
  })
})

describe('tokens', () => {
  it('end by time, by revocation, and with every change of their user, in all processes within a second', async () => {
    const { process, time } = setUp()
    const [one, two] = [process(), process()]
    await one.ensureAdmin()
    await one.create('ada', 'a long password', ['search'])
    const ada = () => login(one, { name: 'ada', password: 'a long password' })
    const valid = (accounts: Accounts, token: string) =>
      accounts.tokens.verify(token, false).then(
        () => true,
        () => false,
      )
    const check = async (change: () => Promise<unknown>) => {
      const token = await ada()
      expect([await valid(one, token), await valid(two, token)]).toEqual([true, true])
      await change()
      expect(await valid(one, token)).toBe(false)
      time.nowMs += 1_001
      expect(await valid(two, token)).toBe(false)
    }
    await check(() => one.setPermissions('ada', ['search', 'upload']))
    await check(() => one.setPassword('ada', 'a long password'))
    await check(() => Promise.resolve((time.nowMs += 10 * 3_600_000)))
    await check(() => one.delete('ada'))
    await one.create('ada', 'a long password', ['search'])
    await check(() => one.reset())
    const token = await login(one)
    await one.tokens.revoke(token)
    expect(await valid(one, token)).toBe(false)
  })

  it('are stored nowhere, and expired ones are swept', async () => {
    const { process, store, time } = setUp()
    const accounts = process()
    await accounts.ensureAdmin()
    const token = await login(accounts)
    for (const key of [...(await keysOf(store, 'users/')), ...(await keysOf(store, 'tokens/'))]) {
      const got = await store.get(key)
      const text = got.status === 'ok' ? new TextDecoder().decode(got.body) : ''
      expect(text).not.toContain(token.slice(3))
      expect(text).not.toContain('correct horse')
    }
    expect(await accounts.tokens.sweep()).toBe(0)
    time.nowMs += 35 * 3_600_000
    expect(await accounts.tokens.sweep()).toBe(1)
    expect(await keysOf(store, 'tokens/')).toEqual([])
  })

  it('never allow more calls than their limit, by any number of processes that close or are killed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 120 }),
        fc.array(fc.record({ calls: fc.integer({ min: 1, max: 60 }), isKilled: fc.boolean() }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (limit, runs) => {
          const { process } = setUp()
          const first = process({ callsPerToken: limit })
          await first.ensureAdmin()
          const token = await login(first)
          let allowed = 0
          let killed = 0
          await Promise.all(
            runs.map(async ({ calls, isKilled }) => {
              const accounts = process()
              await Promise.all(
                Array.from({ length: calls }, () =>
                  accounts.tokens.verify(token, true).then(
                    () => void allowed++,
                    (error: unknown) => expect((error as SiltstoneError).code).toBe('token-used-up'),
                  ),
                ),
              )
              if (isKilled) killed++
              else await accounts.tokens.close()
            }),
          )
          expect(allowed).toBeLessThanOrEqual(limit)
          const last = process()
          while (
            await last.tokens.verify(token, true).then(
              () => true,
              () => false,
            )
          )
            allowed++
          expect(allowed).toBeLessThanOrEqual(limit)
          // A process that is killed takes at most 24 calls with it.
          expect(allowed).toBeGreaterThanOrEqual(limit - 24 * killed)
        },
      ),
      { numRuns: Number(globalThis.process.env['PROPERTY_RUNS'] ?? 40) },
    )
  })
})

it('a rate limit allows a burst, then as many as it says, for each user', () => {
  const time = { nowMs: 0 }
  const clock = { ...memoryEnvironment().clock, monotonicMs: () => time.nowMs }
  const limit = new RateLimit({ clock, perSecond: 10, burst: 5 })
  const spent = () => {
    let count = 0
    try {
      for (; count < 100; count++) limit.spend('ada')
    } catch (error) {
      expect(error).toMatchObject({ code: 'too-many-requests', retryAfterMs: 100 })
    }
    return count
  }
  expect(spent()).toBe(5)
  time.nowMs += 300
  expect(spent()).toBe(3)
  limit.spend('ben')
})
