export * from './cached-embedder.ts'
export * from './config.ts'
export * from './from-config.ts'
export * from './port.ts'
export * from './registry.ts'
export * from './store.ts'
export { contentId, type StoredEmbedding } from './stored-embedding.ts'
export { BEDROCK_DEFAULT_MODEL, BedrockEmbedder, type BedrockOptions } from './bedrock.ts'
export {
  ENGLISH_DIMENSION,
  ENGLISH_MODEL,
  ENGLISH_NAME,
  EnglishEmbedder,
  type EnglishEmbedderOptions,
} from './english/index.ts'
export { OnnxEmbedder, type OnnxOptions } from './onnx.ts'
export { OPENAI_BASE_URL, OPENAI_DEFAULT_MODEL, OpenAiEmbedder, type OpenAiOptions } from './openai.ts'
export type { ProviderDependencies, RequestOptions } from './requests.ts'
export { defaultRetryPolicy, type RetryPolicy } from './retry-request.ts'
