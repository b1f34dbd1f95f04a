import { z } from 'zod'
import { invalid } from '../errors.ts'

const positive = z.number().positive()
const count = z.int().positive()

const requests = {
  requestsPerMinute: positive.optional(),
  tokensPerMinute: positive.optional(),
  concurrency: count.optional(),
  dollarsPerMillionTokens: z.number().nonnegative().optional(),
  retry: z
    .strictObject({
      maxAttempts: count.optional(),
      baseDelayMs: positive.optional(),
      maxDelayMs: positive.optional(),
      maxRetryAfterMs: z.number().nonnegative().optional(),
      timeoutMs: positive.optional(),
    })
    .optional(),
}
/** Keep embeddings in the bucket's embedding store. Default: true, but false for `english`, which is cheaper than a GET. */
const cache = z.boolean().optional()

const english = z.strictObject({ provider: z.literal('english'), directory: z.string().min(1).optional(), cache })

const openai = z.strictObject({
  provider: z.literal('openai'),
  model: z.string().min(1).optional(),
  dimensions: count.optional(),
  /** Default: the environment variable `apiKeyEnv`. */
  apiKey: z.string().optional(),
  /** Default `OPENAI_API_KEY`. */
  apiKeyEnv: z.string().min(1).optional(),
  /** Default: `OPENAI_BASE_URL`, or OpenAI's own. */
  baseUrl: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  encodingFormat: z.enum(['base64', 'float']).optional(),
  maxBatchTexts: count.optional(),
  maxBatchTokens: count.optional(),
  ...requests,
  cache,
})

const bedrock = z.strictObject({
  provider: z.literal('bedrock'),
  model: z.string().min(1).optional(),
  dimensions: z.union([z.literal(256), z.literal(512), z.literal(1024)]).optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .optional(),
  profile: z.string().min(1).optional(),
  endpoint: z.url().optional(),
  ...requests,
  cache,
})

const onnx = z.strictObject({
  provider: z.literal('onnx'),
  directory: z.string().min(1),
  model: z.string().min(1).optional(),
  dtype: z.enum(['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4']).optional(),
  pooling: z.enum(['mean', 'cls']).optional(),
  normalize: z.boolean().optional(),
  batchTexts: count.optional(),
  cache,
})

const embedderConfig = z.discriminatedUnion('provider', [english, openai, bedrock, onnx])

/** Which provider embeds, and how; what an operator writes. */
export type EmbedderConfig = z.infer<typeof embedderConfig>

/** @throws SiltstoneError `invalid` (embedder-config), naming the field at fault; values are not quoted, one may be a key */
export function parseEmbedderConfig(value: unknown): EmbedderConfig {
  const parsed = embedderConfig.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') || 'embedder'
  throw invalid('embedder-config', `${field} of the embedder's configuration: ${issue?.message ?? 'not understood'}.`, {
    field,
  })
}
