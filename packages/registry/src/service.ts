/** A registry's HTTP interface: the REST contract at the root, the Hub API below `/hub`. */
import { type Clock, isSiltstoneError, type Logger, type Random, type StorageFallback } from 'siltstone/internal'
import { Accounts, type AccountsOptions } from './accounts/accounts.ts'
import { RateLimit, type RateLimitOptions } from './accounts/rate-limit.ts'
import { failure } from './http/answers.ts'
import { type BodyLimits, checkSize, wholeAnswer } from './http/body-limits.ts'
import { hubApp } from './hub/app.ts'
import { hubFailure } from './hub/failure.ts'
import { Traffic } from './http/traffic.ts'
import type { Registry } from './registry.ts'
import { restApp } from './rest/app.ts'
import type { RestContext } from './rest/context.ts'
import { LinkSigner } from './store/secret.ts'

export interface ServiceOptions {
  registry: Registry
  clock: Clock
  random: Random
  log: Logger
  version: string
  accounts?: Pick<AccountsOptions, 'admin' | 'cost' | 'callsPerToken' | 'operators'>
  rateLimit?: Omit<RateLimitOptions, 'clock'>
  /** The store is not the one that was asked for: said in the health, and in a header of each answer. */
  fallback?: StorageFallback
  /** Larger requests, answers and files are refused, and Git LFS never leads to Xet, whose bodies hold many files. */
  bodyLimits?: BodyLimits
}

export interface Service {
  accounts: Accounts
  context: RestContext
  /** @param address of the peer */
  fetch(request: Request, address: string): Promise<Response>
  /** Finishes what processes left, and deletes what expired. */
  maintain(): Promise<void>
  close(): Promise<void>
}

export const HUB_PATH = '/hub'

/**
 * The Hub API is at the root, too, because clients before 1.0 take the first part of an address for an owner. No path of the REST
 * contract looks like one of its paths.
 */
const isOfHub = (path: string): boolean =>
  /^\/(?:api|lfs|xet)\/|^\/(?!(?:artifacts?|download|user)\/)[^/]+\/[^/]+\/(?:[^/]+\/)?(?:resolve|raw|info\/lfs)\//.test(
    path,
  )

export async function createService(options: ServiceOptions): Promise<Service> {
  const { registry, clock, random, log, version, fallback, bodyLimits } = options
  const { store, documents } = registry
  const accounts = new Accounts({ ...options.accounts, store, documents, clock, random })
  const traffic = new Traffic(clock)
  const rateLimit = new RateLimit({ ...options.rateLimit, clock })
  const signer = new LinkSigner({ documents, random, clock })
  const context = {
    registry,
    accounts,
    signer,
    traffic,
    clock,
    version,
    startedAtMs: clock.nowMs(),
    hubPath: HUB_PATH,
    fallback,
  }
  await accounts.ensureAdmin()
  const rest = restApp(context, { rateLimit, log })
  const hub = hubApp({ registry, accounts, signer, clock, log, bodyLimits }, { rateLimit, traffic })
  const answer = (request: Request, address: string, pathname: string, isHub: boolean) => {
    if (pathname.startsWith(`${HUB_PATH}/`)) return hub(request, address, pathname.slice(HUB_PATH.length), HUB_PATH)
    return isHub ? hub(request, address, pathname) : rest(request, address, pathname)
  }
  const limited = async (request: Request, address: string): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const isHub = pathname.startsWith(`${HUB_PATH}/`) || isOfHub(pathname)
    if (bodyLimits === undefined) return answer(request, address, pathname, isHub)
    try {
      checkSize('the body', Number(request.headers.get('content-length') ?? 0), bodyLimits)
      return await wholeAnswer(await answer(request, address, pathname, isHub), bodyLimits)
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      return isHub ? hubFailure(error) : failure(error)
    }
  }
  return {
    accounts,
    context,
    fetch: async (request, address) => {
      const response = await limited(request, address)
      if (fallback !== undefined) response.headers.set('x-siltstone-storage', `${fallback.used}-fallback`)
      return response
    },
    maintain: async () => {
      const [finished, expired] = [await registry.artifacts.finishIntents(), await accounts.tokens.sweep()]
      await registry.upkeep()
      if (finished + expired > 0) log.info('registry_maintained', { finishedIntents: finished, expiredTokens: expired })
    },
    close: async () => {
      await registry.settled()
      await accounts.tokens.close()
    },
  }
}
