/** What embeds texts in the functions, and what that needs. */
import { checkOneOf, InvalidArgument } from './errors.ts'
import type { FunctionName } from './names.ts'

/** Functions that turn texts into vectors. */
export const EMBEDDING: readonly FunctionName[] = ['producer', 'query', 'api']

export const EMBEDDERS = ['english', 'openai', 'bedrock'] as const

export interface EmbedderChoice {
  /** `english` (default): in the function, from the layer with the model. `openai` needs `openaiApiKey`. */
  provider: (typeof EMBEDDERS)[number]
  /** Default: the product's default of the provider. */
  model?: string
  dimensions?: number
}

/** Of the product: packages/siltstone/src/embed/bedrock.ts. */
const BEDROCK_DEFAULT_MODEL = 'amazon.titan-embed-text-v2:0'

/** @throws InvalidArgument */
export function checkEmbedder(choice: EmbedderChoice | undefined, hasKey: boolean): void {
  const provider = checkOneOf('embedder.provider', choice?.provider ?? 'english', EMBEDDERS)
  if ((provider === 'openai') === hasKey) return
  throw new InvalidArgument(
    'embedder.provider',
    provider,
    hasKey ? "openaiApiKey is only read with 'openai'" : 'set openaiApiKey: OpenAI refuses requests without a key',
  )
}

/** The functions' variable; undefined for the default. */
export function embedderVariable(choice: EmbedderChoice | undefined): string | undefined {
  return choice === undefined || choice.provider === 'english' ? undefined : JSON.stringify(choice)
}

/** The one model that the functions may ask. */
export function bedrockModelArn(choice: EmbedderChoice | undefined, region: string): string | undefined {
  if (choice?.provider !== 'bedrock') return undefined
  return `arn:aws:bedrock:${region}::foundation-model/${choice.model ?? BEDROCK_DEFAULT_MODEL}`
}
