import { type Authenticator, type Identity, tokenAuthenticator } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN, type Answer, type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'
import { identityOfSession } from './store-access.ts'
import type { Permission } from './account-documents.ts'

const OPERATORS = tokenAuthenticator(
  JSON.stringify([
    { token: 'all-admin', user: 'ops', role: 'admin', tenants: ['*'] },
    { token: 'all-write', user: 'app', role: 'write', tenants: ['*'] },
    { token: 'registry-read', user: 'eye', role: 'read', tenants: ['siltstone'], databases: ['registry'] },
    { token: 'other-admin', user: 'other', role: 'admin', tenants: ['acme'] },
    { token: 'other-database', user: 'other', role: 'admin', tenants: ['siltstone'], databases: ['elsewhere'] },
    { token: 'like-ada', user: 'ada', role: 'read', tenants: ['*'] },
  ]),
)

let world: ServedRegistry
let root: string
const statusOf = async (...args: Parameters<ServedRegistry['call']>) => (await world.call(...args)).status
const register = (name: string, more: object): Promise<Answer> =>
  world.call('POST', '/register', {
    token: root,
    body: { user: { name, is_admin: false }, secret: { password: 'a long password' }, ...more },
  })

beforeAll(async () => {
  world = await servedRegistry({ accounts: { operators: OPERATORS } })
  root = await world.logIn()
  await register('ada', { tenants: ['acme'], databases: ['prod'] })
})
afterAll(() => world.close())

describe('a token of the server', () => {
  const url = 'https://elsewhere.test/ops/model'
  it('opens the registry with the permissions of its role', async () => {
    const may = async (token: string) => [
      await statusOf('POST', '/artifacts', { token, body: [{ name: '*' }] }),
      await statusOf('POST', '/artifact/model', { token, body: {} }),
      await statusOf('GET', '/users', { token }),
      await statusOf('GET', '/hub/api/whoami-v2', { headers: { authorization: `Bearer ${token}` } }),
    ]
    // 400: the body of an upload is looked at once the permission is there.
    expect(await may('all-admin')).toEqual([200, 400, 200, 200])
    expect(await may('all-write')).toEqual([200, 400, 403, 200])
    expect(await may('registry-read')).toEqual([200, 403, 403, 200])
  })

  it('opens nothing without access to the tenant and the database of the registry', async () => {
    for (const token of ['other-admin', 'other-database', 'unknown', `st_${'x'.repeat(43)}`]) {
      expect(await statusOf('POST', '/artifacts', { token, body: [] }), token).toBe(403)
      expect(await statusOf('DELETE', '/reset', { token }), token).toBe(403)
    }
  })

  it('owns what its user owns, whoever has the other token', async () => {
    const made = await world.call('POST', '/artifact/model', { token: 'all-write', body: { url } })
    const { id } = (made.body as { metadata: { id: string } }).metadata
    expect(await statusOf('DELETE', `/artifacts/model/${id}`, { token: 'registry-read' })).toBe(403)
    expect(await statusOf('DELETE', `/artifacts/model/${id}`, { token: 'all-write' })).toBe(200)
  })

  it('is not the account of its name: it makes no keys, changes no password, and logs nobody out', async () => {
    expect(await statusOf('POST', '/user/ada/keys', { token: 'like-ada', body: {} })).toBe(403)
    const secret = { secret: { password: 'another password' } }
    expect(await statusOf('PUT', '/user/ada/password', { token: 'like-ada', body: secret })).toBe(403)
    expect(await statusOf('DELETE', '/authenticate', { token: 'like-ada' })).toBe(403)
    expect(await statusOf('POST', '/user/ada/keys', { token: 'all-admin', body: {} })).toBe(201)
  })

  it('of an admin is enough to administer the registry', async () => {
    const alone = await servedRegistry({ accounts: { admin: undefined, operators: OPERATORS } })
    try {
      expect(await alone.service.accounts.hasAdmin()).toBe(true)
      const body = { user: { name: 'first' }, secret: { password: 'a long password' } }
      expect((await alone.call('POST', '/register', { token: 'all-admin', body })).status).toBe(201)
    } finally {
      await alone.close()
    }
    const none: Authenticator = { ...OPERATORS, identities: () => OPERATORS.identities().slice(1) }
    const without = await servedRegistry({ accounts: { admin: undefined, operators: none } })
    expect(await without.service.accounts.hasAdmin()).toBe(false)
    await without.close()
  })
})

describe('a token of an account', () => {
  const identify = (token: string): Promise<Identity | string> =>
    world.service.accounts.identify(token.replace(/^bearer /, '')).catch((error: { code: string }) => error.code)

  it('opens the tenants of the account, with the role of its permissions', async () => {
    const ada = await world.logIn('ada', 'a long password')
    expect(await identify(ada)).toEqual({ userId: 'ada', role: 'write', tenants: ['acme'], databases: ['prod'] })
    expect(await identify(root)).toEqual({ userId: ADMIN.name, role: 'admin', tenants: '*', databases: '*' })
    const key = async (name: string, permissions: Permission[]) => {
      const answer = await world.call('POST', `/user/${name}/keys`, { token: root, body: { permissions } })
      return (answer.body as { token: string }).token
    }
    expect(await identify(await key('ada', ['search', 'download']))).toMatchObject({ role: 'read', tenants: ['acme'] })
    // Without the permission admin, an account's "*" does not open the registry's own tenant.
    expect(await identify(await key(ADMIN.name, ['search', 'download']))).toMatchObject({
      role: 'read',
      tenants: ['default_tenant'],
    })
    expect(await identify(await key('ada', ['search']))).toBe('role-too-low')
  })

  it('opens nothing by default, once it is void, or if it is none', async () => {
    await register('ben', {})
    const ben = await world.logIn('ben', 'a long password')
    expect(await identify(ben)).toBe('tenant-forbidden')
    const permissions = ['search', 'download']
    await world.call('PUT', '/user/ben/permissions', { token: root, body: { permissions, tenants: ['acme'] } })
    expect(await identify(ben)).toBe('token-unknown')
    expect(await identify(await world.logIn('ben', 'a long password'))).toMatchObject({ role: 'read', databases: '*' })
    for (const token of ['', 'all-admin', 'st_', `st_${'x'.repeat(43)}`])
      expect(await identify(token)).toBe('token-unknown')
  })

  it('counts its calls there, too', async () => {
    const few = await servedRegistry({ accounts: { callsPerToken: 3 } })
    const token = (await few.logIn()).replace(/^bearer /, '')
    for (const _ of [1, 2, 3]) await few.service.accounts.identify(token)
    await expect(few.service.accounts.identify(token)).rejects.toMatchObject({ code: 'token-used-up' })
    await few.close()
  })

  it('is not given all tenants, or that of the registry, without the permission admin', async () => {
    for (const tenants of [['*'], ['acme', 'siltstone'], [''], Array.from({ length: 101 }, (_, n) => `t${n}`)]) {
      expect((await register('eve', { tenants })).status).toBe(400)
    }
    expect((await register('eve', { tenants: ['*'], permissions: ['admin'] })).status).toBe(201)
    const body = { permissions: ['search'] }
    expect(await statusOf('PUT', '/user/eve/permissions', { token: root, body })).toBe(400)
    expect(await statusOf('PUT', '/user/eve/permissions', { token: root, body: { ...body, tenants: [] } })).toBe(200)
  })

  it('makes no role of permissions that are less than those of the role', () => {
    const session = (permissions: Permission[]) => () =>
      identityOfSession({
        user: 'ada',
        isAdmin: false,
        permissions,
        kind: 'key',
        store: { tenants: ['acme'], databases: ['*'] },
      }).role
    expect(session(['search', 'download', 'upload'])()).toBe('write')
    expect(session(['search', 'download', 'admin'])()).toBe('read')
    for (const few of [[], ['upload', 'search'], ['admin']] as Permission[][])
      expect(session(few)).toThrow('permissions')
  })
})
