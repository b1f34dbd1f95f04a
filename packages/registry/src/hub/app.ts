/**
 * The Hub API, as clients of Hugging Face's hub speak it: `HF_ENDPOINT=<server>/hub`. Not here: pull
 * requests, discussions.
 */
import type { RateLimit } from '../accounts/rate-limit.ts'
import type { Traffic } from '../http/traffic.ts'
import { type App, createApp } from '../http/app.ts'
import { json } from '../http/answers.ts'
import { commitRoutes } from './commit-routes.ts'
import type { HubContext } from './context.ts'
import { hubFailure } from './failure.ts'
import { fileRoutes } from './file-routes.ts'
import { lfsRoutes } from './lfs-routes.ts'
import { xetRoutes } from '../xet/xet-routes.ts'
import { repositoryRoutes } from './repository-routes.ts'

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
    noRoute: () =>
      json({ error: 'Not Found' }, 404, { 'x-error-code': 'RepoNotFound', 'x-error-message': 'Not Found' }),
  })
}
