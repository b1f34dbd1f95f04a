/**
 * The artifact registry behind a function URL, with its accounts: REST at the root, the Hub API below `/hub`. A schedule starts
 * its maintenance.
 *
 * Lambda freezes the container after an answer, so ratings that a request started are waited for, and no timer runs. Its limit for
 * requests and answers is 6 MB: larger files are sent to the bucket itself and downloaded from it, by links that the registry signs. A container that ends keeps the calls of tokens that it reserved and did not use, at most 24 of each
 * token: a token is never good for more calls than it was issued for, but may be good for less.
 */
import { configuredAdmin, openService, selfCheck, upkeepOf } from '@siltstone/registry'
import { Hono } from 'hono'
import { handle as lambdaHandle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda'
import { Store, VERSION } from 'siltstone'
import { type Clock, EmbedderRegistry, invalid, systemModels, tokenAuthenticator } from 'siltstone/internal'
import { handler } from './handler.ts'
import { embeddersOf, type Variables, withSecrets } from './settings.ts'
import { once, openEngine } from './store.ts'
import { log } from './telemetry.ts'

export interface MaintainOrder {
  source?: 'scheduled' | 'manual'
  action: 'maintain'
}

/** The whole event has at most 6 MB, with its body as base64. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
/** It has to be read and copied within the 120 s of the function: 40 MB a second are enough. */
const MAX_DIRECT_BYTES = 4_000_000_000
const bodyLimits = {
  requestBytes: MAX_BODY_BYTES,
  answerBytes: MAX_BODY_BYTES,
  directBytes: MAX_DIRECT_BYTES,
  remedy: 'run "siltstone serve --registry" on the same bucket for larger ones, without this limit',
}
/** Kept to send wake-up calls, and for the answer. */
const KEPT_MS = 5_000

interface Bindings {
  requestContext: { http?: { sourceIp?: string } }
  lambdaContext: LambdaContext
}

const opened = once(async () => {
  const engine = await openEngine({})
  const { env } = engine
  const variables = await withSecrets(process.env)
  const models = new EmbedderRegistry({ ...env, models: systemModels, variables }, embeddersOf(variables))
  const tokens = variables['SILTSTONE_TOKENS']
  const { registry, service } = await openService({
    environment: env,
    index: new Store({ engine, registry: models, allowReset: false, close: () => Promise.resolve() }),
    variables,
    version: VERSION,
    admin: await configuredAdmin(variables),
    ...(tokens !== undefined && tokens !== '' && { operators: tokenAuthenticator(tokens) }),
    upkeep: upkeepOf({
      gcHours: wholeNumber(variables, 'SILTSTONE_REGISTRY_GC_HOURS'),
      keepDays: wholeNumber(variables, 'SILTSTONE_REGISTRY_KEEP_DAYS'),
    }),
    bodyLimits,
  })
  const app = new Hono<{ Bindings: Bindings }>()
  app.all('*', ({ req, env: { requestContext } }) => service.fetch(req.raw, requestContext.http?.sourceIp ?? ''))
  // All answers as base64: the size of text in the JSON of an answer depends on its characters.
  return { engine, registry, service, answer: lambdaHandle(app, { isContentTypeBinary: () => true }) }
})

type Opened = Awaited<ReturnType<typeof opened>>

export const handle = handler<LambdaEvent | MaintainOrder, unknown>(async (event, context) => {
  const parts = await opened()
  try {
    return 'action' in event ? await maintain(parts) : await parts.answer(event)
  } finally {
    await settled(parts, context.getRemainingTimeInMillis() - KEPT_MS)
    await parts.engine.flushWakeUps()
  }
})
export { handle as handler }

/** @throws SiltstoneError as `selfCheck`, with the permission that the role lacks */
async function maintain({ engine, service }: Opened): Promise<{ maintained: true }> {
  const { store, ids } = engine.env
  await selfCheck(store, ids)
  await service.maintain()
  // Its absence is an alarm.
  engine.env.metrics.count('registry_maintained')
  return { maintained: true }
}

/** A rating that takes longer is computed again when it is asked for. */
async function settled({ engine, registry }: Opened, withinMs: number): Promise<void> {
  const isDone = await within(engine.env.clock, registry.settled(), withinMs)
  if (!isDone) log.warn('registry_work_unfinished', { remedy: 'raise the timeout of the function' })
}

async function within(clock: Clock, work: Promise<void>, limitMs: number): Promise<boolean> {
  let cancel = () => {}
  const late = new Promise<boolean>((done) => (cancel = clock.timer(Math.max(0, limitMs), () => done(false))))
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    cancel()
  }
}

/** @throws SiltstoneError `invalid` (bad-number) */
function wholeNumber(variables: Variables, name: string): number {
  const text = variables[name] ?? ''
  if (text === '') return 0
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw invalid('bad-number', `${name} is "${text.slice(0, 50)}": give a whole number`, { field: name })
}
