/** Login, users, keys, and the reset of everything. */
import { forbidden, invalid, unauthorized } from 'siltstone/internal'
import * as v from 'valibot'
import { type Permission, PERMISSIONS, type Quota } from '../accounts/account-documents.ts'
import type { UserInfo } from '../accounts/accounts.ts'
import { answering, empty, failure, json } from '../http/answers.ts'
import { readJson } from '../http/body.ts'
import { tokenOf } from '../http/app.ts'
import type { Call, Route, SignedInCall } from '../http/route.ts'
import type { RestContext } from './context.ts'

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const permissions = v.array(v.picklist(PERMISSIONS))
const names = v.array(text)
const loginSchema = v.object({
  user: v.object({ name: text, is_admin: v.boolean() }),
  secret: v.object({ password: text }),
})
const registerSchema = v.object({
  user: v.object({ name: text, is_admin: v.optional(v.boolean(), false) }),
  secret: v.object({ password: text }),
  permissions: v.optional(permissions),
  tenants: v.optional(names, []),
  databases: v.optional(names, ['*']),
})
const permissionsSchema = v.object({ permissions, tenants: v.optional(names), databases: v.optional(names) })
/** What is left out has no limit; without a quota, the standard one counts. */
const limit = v.optional(v.pipe(v.number(), v.safeInteger('is no whole number'), v.minValue(0, 'is negative')))
const quotaSchema = v.object({ quota: v.optional(v.object({ artifacts: limit, bytes: limit })) })
const passwordSchema = v.object({ secret: v.object({ password: text }) })
const keySchema = v.object({ permissions: v.optional(permissions), days: v.optional(v.number()) })

const PLAIN: readonly Permission[] = ['upload', 'search', 'download']

export function accountRoutes(context: RestContext): Route[] {
  const { accounts, registry } = context
  return [
    { method: 'PUT', path: '/authenticate', operation: 'CreateAuthToken', access: 'public', handle: logIn(context) },
    { method: 'DELETE', path: '/reset', operation: 'RegistryReset', access: 'any', handle: reset(context) },
    {
      method: 'POST',
      path: '/register',
      operation: 'UserCreate',
      access: 'admin',
      handle: async (call) => {
        const { user, secret, permissions: wanted, tenants, databases } = await readJson(call.request, registerSchema)
        const granted = user.is_admin ? PERMISSIONS : (wanted ?? PLAIN)
        const store = { tenants, databases }
        return json(userBody(await accounts.create(user.name, secret.password, granted, store)), 201)
      },
    },
    {
      method: 'GET',
      path: '/users',
      operation: 'UsersList',
      access: 'admin',
      handle: async () => json((await accounts.list()).map(userBody)),
    },
    {
      method: 'DELETE',
      path: '/user/{name}',
      operation: 'UserDelete',
      access: 'any',
      handle: async (call) => {
        await accounts.delete(selfOrAdmin(call))
        return empty()
      },
    },
    {
      method: 'PUT',
      path: '/user/{name}/permissions',
      operation: 'UserPermissionsUpdate',
      access: 'admin',
      handle: async (call) => {
        const { permissions: wanted, ...store } = await readJson(call.request, permissionsSchema)
        return json(userBody(await accounts.setPermissions(call.params['name'] ?? '', wanted, store)))
      },
    },
    {
      method: 'PUT',
      path: '/user/{name}/quota',
      operation: 'UserQuotaUpdate',
      access: 'admin',
      handle: async (call) => {
        const { quota } = await readJson(call.request, quotaSchema)
        const wanted = quota && { artifacts: quota.artifacts ?? null, bytes: quota.bytes ?? null }
        return json(userBody(await accounts.setQuota(call.params['name'] ?? '', wanted)))
      },
    },
    {
      method: 'GET',
      path: '/user/{name}/usage',
      operation: 'UserUsage',
      access: 'any',
      handle: async ({ params, session }) => {
        const { name = '' } = params
        if (!session.isAdmin && session.user !== name) {
          throw forbidden('permission-missing', `only ${name.slice(0, 100)} and admins may see this`)
        }
        // The user of a token of the server may have no account.
        if (session.user !== name) await accounts.get(name)
        const [usage, quota] = await Promise.all([registry.usageOf(name), registry.quotas.quotaOf(name)])
        return json({ ...usage, ...quotaBody(quota) })
      },
    },
    {
      method: 'PUT',
      path: '/user/{name}/password',
      operation: 'UserPasswordUpdate',
      access: 'any',
      handle: async (call) => {
        const name = selfOrAdmin(call)
        const { secret } = await readJson(call.request, passwordSchema)
        await accounts.setPassword(name, secret.password)
        return empty()
      },
    },
    {
      method: 'POST',
      path: '/user/{name}/keys',
      operation: 'UserKeyCreate',
      access: 'any',
      handle: async (call) => {
        const name = selfOrAdmin(call)
        const wanted = await readJson(call.request, keySchema)
        const { token, expiresAt } = await accounts.createKey(call.session, name, wanted)
        return json({ token, expires_at: expiresAt }, 201)
      },
    },
    {
      method: 'DELETE',
      path: '/authenticate',
      operation: 'DeleteAuthToken',
      access: 'any',
      handle: async ({ request, session }) => {
        if (session.kind === 'operator') {
          throw forbidden('operator-token', "this token is in the server's configuration: take it out there")
        }
        await accounts.tokens.revoke(tokenOf(request.headers) ?? '')
        return empty()
      },
    },
  ]
}

/**
 * A key may not change its owner's account: it is in files and variables of programs. A token of the server may not either, although its
 * user may have the name of an account, unless it is that of an admin: the account may have more permissions than the token.
 */
function selfOrAdmin({ params, session }: SignedInCall): string {
  const { name = '' } = params
  if (session.kind === 'key') throw forbidden('permission-missing', 'a key cannot change accounts: log in')
  if (session.isAdmin || (session.user === name && session.kind === 'session')) return name
  throw forbidden('permission-missing', `only ${name.slice(0, 100)} and admins may do this`)
}

const quotaBody = (quota: Quota | undefined) =>
  quota && {
    quota: {
      ...(quota.artifacts !== null && { artifacts: quota.artifacts }),
      ...(quota.bytes !== null && { bytes: quota.bytes }),
    },
  }

const userBody = ({ name, permissions: granted, createdAt, store, quota }: UserInfo) => ({
  name,
  is_admin: granted.includes('admin'),
  permissions: granted,
  tenants: store.tenants,
  databases: store.databases,
  ...quotaBody(quota),
  created_at: createdAt,
})

/** 401 only for a wrong name or password; the delay of further tries is in Retry-After. */
function logIn({ accounts }: RestContext) {
  return async ({ request, address }: Call): Promise<Response> => {
    const { user, secret } = await readJson(request, loginSchema)
    return answering(
      async () => {
        const token = await accounts.logIn({
          name: user.name,
          password: secret.password,
          claimsAdmin: user.is_admin,
          address,
        })
        return json(`bearer ${token}`)
      },
      ({ kind }) => (kind === 'unauthorized' ? 401 : undefined),
    )
  }
}

/** Everything is deleted: artifacts, users but the configured admin, and all tokens. */
function reset({ registry, accounts }: RestContext) {
  return async ({ session }: SignedInCall): Promise<Response> => {
    if (!session.isAdmin) return failure(unauthorized('permission-missing', 'only admins may reset the registry'), 401)
    if (session.kind === 'key') throw invalid('key-reset', 'a key cannot reset the registry: log in')
    await registry.deleteAll(session.user)
    await accounts.reset()
    return empty()
  }
}
