import * as v from 'valibot'
import { invalid } from '../errors.ts'
import { schemaIssue } from '../schema-issue.ts'

/** Limits and retries of a provider that is asked over the network. */
export interface RequestConfig {
  requestsPerMinute?: number | undefined
  tokensPerMinute?: number | undefined
  /** Requests in flight at once. */
  concurrency?: number | undefined
  dollarsPerMillionTokens?: number | undefined
  retry?:
    | {
        maxAttempts?: number | undefined
        baseDelayMs?: number | undefined
        maxDelayMs?: number | undefined
        maxRetryAfterMs?: number | undefined
        timeoutMs?: number | undefined
      }
    | undefined
}

interface CacheConfig {
  /** Keep embeddings in the bucket's embedding store. Default: true, but false for `english`, which is cheaper than a GET. */
  cache?: boolean | undefined
}

export interface EnglishConfig extends CacheConfig {
  provider: 'english'
  /** Holds the model's files; default: the package `@siltstone/embedder-english`. */
  directory?: string | undefined
}

export interface OpenAiConfig extends RequestConfig, CacheConfig {
  provider: 'openai'
  model?: string | undefined
  dimensions?: number | undefined
  /** Default: the environment variable `apiKeyEnv`. */
  apiKey?: string | undefined
  /** Default `OPENAI_API_KEY`. */
  apiKeyEnv?: string | undefined
  /** Default: `OPENAI_BASE_URL`, or OpenAI's own. */
  baseUrl?: string | undefined
  headers?: Record<string, string> | undefined
  encodingFormat?: 'base64' | 'float' | undefined
  maxBatchTexts?: number | undefined
  maxBatchTokens?: number | undefined
}

export interface BedrockConfig extends RequestConfig, CacheConfig {
  provider: 'bedrock'
  model?: string | undefined
  dimensions?: 256 | 512 | 1024 | undefined
  region?: string | undefined
  profile?: string | undefined
  /** A URL. */
  endpoint?: string | undefined
}

export interface OnnxConfig extends CacheConfig {
  provider: 'onnx'
  directory: string
  model?: string | undefined
  dtype?: 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | undefined
  pooling?: 'mean' | 'cls' | undefined
  normalize?: boolean | undefined
  batchTexts?: number | undefined
}

/** An operator's choice of provider and its settings. */
export type EmbedderConfig = EnglishConfig | OpenAiConfig | BedrockConfig | OnnxConfig

const optional = v.optional
const filled = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const finite = v.pipe(v.number(), v.finite('must be finite'))
const text = optional(filled)
const positive = optional(v.pipe(finite, v.gtValue(0, 'must be greater than 0')))
const notNegative = optional(v.pipe(finite, v.minValue(0, 'must not be negative')))
const count = optional(
  v.pipe(v.number(), v.safeInteger('must be a whole number'), v.gtValue(0, 'must be greater than 0')),
)
const cache = optional(v.boolean())

const requests = {
  requestsPerMinute: positive,
  tokensPerMinute: positive,
  concurrency: count,
  dollarsPerMillionTokens: notNegative,
  retry: optional(
    v.strictObject({
      maxAttempts: count,
      baseDelayMs: positive,
      maxDelayMs: positive,
      maxRetryAfterMs: notNegative,
      timeoutMs: positive,
    }),
  ),
}

const embedderConfig: v.GenericSchema<unknown, EmbedderConfig> = v.variant('provider', [
  v.strictObject({ provider: v.literal('english'), directory: text, cache }),
  v.strictObject({
    provider: v.literal('openai'),
    model: text,
    dimensions: count,
    apiKey: optional(v.string()),
    apiKeyEnv: text,
    baseUrl: optional(v.string()),
    headers: optional(v.record(v.string(), v.string())),
    encodingFormat: optional(v.picklist(['base64', 'float'])),
    maxBatchTexts: count,
    maxBatchTokens: count,
    ...requests,
    cache,
  }),
  v.strictObject({
    provider: v.literal('bedrock'),
    model: text,
    dimensions: optional(v.picklist([256, 512, 1024])),
    region: optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, 'must be a region such as eu-central-1'))),
    profile: text,
    endpoint: optional(v.pipe(v.string(), v.url('must be a URL'))),
    ...requests,
    cache,
  }),
  v.strictObject({
    provider: v.literal('onnx'),
    directory: filled,
    model: text,
    dtype: optional(v.picklist(['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4'])),
    pooling: optional(v.picklist(['mean', 'cls'])),
    normalize: optional(v.boolean()),
    batchTexts: count,
    cache,
  }),
])

/** @throws SiltstoneError `invalid` (embedder-config), naming the field at fault; values are not quoted, one may be a key */
export function parseEmbedderConfig(value: unknown): EmbedderConfig {
  const parsed = v.safeParse(embedderConfig, value)
  if (parsed.success) return parsed.output
  const { path, problem } = schemaIssue(parsed.issues)
  const field = path.join('.') || 'embedder'
  throw invalid('embedder-config', `${field} of the embedder's configuration: ${problem}.`, { field })
}
