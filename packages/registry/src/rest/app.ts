/** The REST contract as an app: requests to answers, without a socket. */
import type { Logger } from 'siltstone/internal'
import type { RateLimit } from '../accounts/rate-limit.ts'
import { failure, json } from '../http/answers.ts'
import { type App, createApp } from '../http/app.ts'
import type { Route } from '../http/route.ts'
import { accountRoutes } from './account-routes.ts'
import { artifactRoutes } from './artifact-routes.ts'
import type { RestContext } from './context.ts'
import { openApiDocument } from './openapi.ts'
import { serviceRoutes } from './service-routes.ts'
import { trustRoutes } from './trust-routes.ts'

export function restRoutes(context: RestContext): Route[] {
  return [
    ...serviceRoutes(context, () => openApiDocument(context.version, context.registry.sources.hosts.github)),
    ...accountRoutes(context),
    ...artifactRoutes(context),
    ...trustRoutes(context),
  ]
}

export function restApp(context: RestContext, options: { rateLimit: RateLimit; log: Logger }): App {
  return createApp({
    ...options,
    routes: restRoutes(context),
    accounts: context.accounts,
    traffic: context.traffic,
    countsCalls: true,
    failure: (error) => failure(error),
    noRoute: ({ url }) =>
      json({ error: { code: 'no-route', message: `there is nothing at ${url.pathname.slice(0, 200)}` } }, 404),
  })
}
