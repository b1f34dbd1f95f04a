/** Chroma's HTTP API behind a function URL. */
import { handle as lambdaHandle, type LambdaEvent } from 'hono/aws-lambda'
import { createChromaApp, EmbedderRegistry, EmbeddingStore, systemModels, tokenAuthenticator } from 'siltstone/internal'
import { handler } from './handler.ts'
import { embeddersOf, withSecrets } from './settings.ts'
import { once, openEngine } from './store.ts'
import { log, metrics } from './telemetry.ts'

/** Lambda's limit for requests and answers is 6 MB. */
const MAX_BODY_BYTES = 6 * 1024 * 1024
const KEPT_MS = 2_000

/** @param readOnly writes are answered with 403, and the role needs no permission to write */
export function chromaHandler({ readOnly }: { readOnly: boolean }) {
  const opened = once(async () => {
    const engine = await openEngine({ readOnly, diskCache: true })
    const { env } = engine
    const variables = await withSecrets(process.env)
    const registry = new EmbedderRegistry({ ...env, models: systemModels, variables, readOnly }, embeddersOf(variables))
    const tokens = variables['SILTSTONE_TOKENS']
    const timeoutMs = Number(process.env['SILTSTONE_REQUEST_TIMEOUT_MS'] ?? 58_000)
    const app = createChromaApp({
      engine,
      clock: env.clock,
      ids: env.ids,
      log,
      metrics,
      readOnly,
      limits: { maxBodyBytes: MAX_BODY_BYTES, requestTimeoutMs: timeoutMs - KEPT_MS },
      ...(tokens !== undefined && tokens !== '' && { auth: tokenAuthenticator(tokens) }),
      embeddings: { store: new EmbeddingStore({ store: env.store, log }), embedder: () => registry.default },
      embedderFor: async (info) =>
        registry.forCollection({
          embeddingFunction: info.configuration['embedding_function'],
          dimension: info.dimension,
        }),
    })
    return { engine, answer: lambdaHandle(app) }
  })
  return handler<LambdaEvent, unknown>(async (event) => {
    const { engine, answer } = await opened()
    const answered = await answer(event)
    // Lambda freezes the container after the answer, so no work may be left.
    await engine.flushWakeUps()
    return answered
  })
}
