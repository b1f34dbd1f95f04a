/**
 * The way of a request: route → token → permission → rate limit → handler → answer. REST and Hub API have the same way and their own
 * words for errors.
 */
import { forbidden, isSiltstoneError, type Logger, type SiltstoneError, unauthorized } from 'siltstone/internal'
import type { Accounts } from '../accounts/accounts.ts'
import type { RateLimit } from '../accounts/rate-limit.ts'
import type { Session } from '../accounts/session.ts'
import { empty } from './answers.ts'
import type { Call, Route } from './route.ts'
import { Router } from './router.ts'
import type { Traffic } from './traffic.ts'

export interface AppOptions {
  routes: readonly Route[]
  accounts: Accounts
  rateLimit: RateLimit
  traffic: Traffic
  log: Logger
  /** Whether a call with a session's token counts as one of its calls. */
  countsCalls: boolean
  failure(error: SiltstoneError, call: Call): Response
  /** No route has the path. */
  noRoute(call: Call): Response
}

/** @param base the part of the path before `path` */
export type App = (request: Request, address: string, path: string, base?: string) => Promise<Response>

/** Methods that are answered at all; others are 405 everywhere. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])

export function createApp(options: AppOptions): App {
  const { routes, traffic, log } = options
  const router = new Router(routes)
  return async (request, address, path, base = '') => {
    const url = new URL(request.url)
    const found = router.match(request.method, path)
    const match =
      found.kind === 'wrong-method' && request.method === 'HEAD' && found.allow.includes('GET')
        ? router.match('GET', path)
        : found
    const params = match.kind === 'found' ? match.params : {}
    const call: Call = { request, url, params, query: url.searchParams, address, base }
    const route = match.kind === 'found' ? match.route : undefined
    let response: Response
    try {
      if (match.kind === 'none') response = options.noRoute(call)
      else if (match.kind === 'wrong-method' || !METHODS.has(request.method)) {
        const allow = match.kind === 'wrong-method' ? match.allow : [match.route.method]
        response = empty(405, { allow: withHead(allow).join(', ') })
      } else response = await handled(match.route, call, options)
    } catch (error) {
      if (isSiltstoneError(error)) {
        response = options.failure(error, call)
        if (response.status >= 500) log.error('registry_request_failed', { operation: route?.operation, error })
      } else {
        log.error('registry_request_failed', { operation: route?.operation, error })
        response = empty(500)
      }
    }
    traffic.count(route === undefined ? 'other' : `${route.method} ${route.path}`, response.status, address)
    return request.method === 'HEAD' && response.body !== null ? withoutBody(response) : response
  }
}

const withHead = (allow: readonly string[]) => (allow.includes('GET') ? [...new Set([...allow, 'HEAD'])] : allow)

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, response)
}

async function handled(route: Route, call: Call, options: AppOptions): Promise<Response> {
  if (route.access === 'public') return await route.handle(call)
  const session = (await route.session?.(call)) ?? (await signedIn(call, options))
  if (route.access !== 'any' && !session.permissions.includes(route.access)) throw missing(route.access)
  return await route.handle({ ...call, session })
}

/** @throws SiltstoneError `unauthorized` (token-missing, token-unknown, …), `forbidden` (tenant-forbidden), `unavailable` (too-many-requests) */
export async function signedIn(
  { request }: Call,
  options: Pick<AppOptions, 'accounts' | 'rateLimit' | 'countsCalls'>,
): Promise<Session> {
  const token = tokenOf(request.headers)
  if (token === undefined) {
    throw unauthorized('token-missing', 'a token is needed: send it in X-Authorization or Authorization')
  }
  const session = await options.accounts.session(token, options.countsCalls)
  options.rateLimit.spend(session.user)
  return session
}

/** With or without `bearer`, and with the quotes of clients that pass on the JSON text of the login's answer. */
export function tokenOf(headers: Headers): string | undefined {
  const text = headers.get('x-authorization') ?? headers.get('authorization')
  const token = text
    ?.trim()
    .replace(/^"|"$/g, '')
    .replace(/^bearer\s+/i, '')
    .replace(/^"|"$/g, '')
    .trim()
  return token === undefined || token === '' ? undefined : token
}

const missing = (permission: string) =>
  forbidden('permission-missing', `this needs the permission ${permission}, which the user or the token does not have`)
