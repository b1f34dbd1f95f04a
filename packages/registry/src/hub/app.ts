/**
 * The Hub API, as clients of Hugging Face's hub speak it: `HF_ENDPOINT=<server>/hub`. Not here: pull
 * requests, discussions.
 */
import type { RateLimit } from '../accounts/rate-limit.ts'
import type { Traffic } from '../http/traffic.ts'
import { type App, createApp } from '../http/app.ts'
import { json } from '../http/answers.ts'
import type { Call } from '../http/route.ts'
import { commitRoutes } from './commit-routes.ts'
import type { HubContext } from './context.ts'
import { hubFailure } from './failure.ts'
import { fileRoutes } from './file-routes.ts'
import { lfsRoutes } from './lfs-routes.ts'
import { xetRoutes } from '../xet/xet-routes.ts'
import { repositoryRoutes } from './repository-routes.ts'

/** What the registry does not offer is not said to be a repository that is missing: clients would ask their users about its name. */
function noRoute({ request, url, base }: Call): Response {
  const path = url.pathname.slice(base.length)
  const isOperation = path.startsWith('/api/') && !/^\/api\/(?:models|datasets|spaces)\/[^/]+\/?$/.test(path)
  if (!isOperation) {
    return json({ error: 'Not Found' }, 404, { 'x-error-code': 'RepoNotFound', 'x-error-message': 'Not Found' })
  }
  const text = `this registry does not offer ${request.method} ${path.slice(0, 200)}`
  return json({ error: text }, 404, { 'x-error-message': text.replaceAll(/[^\x20-\x7e]/g, '?') })
}

export function hubApp(context: HubContext, { rateLimit, traffic }: { rateLimit: RateLimit; traffic: Traffic }): App {
  return createApp({
    routes: [
      ...repositoryRoutes(context),
      ...fileRoutes(context),
      ...commitRoutes(context),
      ...lfsRoutes(context),
      ...xetRoutes(context),
    ],
    accounts: context.accounts,
    rateLimit,
    traffic,
    log: context.log,
    countsCalls: true,
    failure: hubFailure,
    noRoute,
  })
}
