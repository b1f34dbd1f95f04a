/**
 * Vectors of images and texts by Amazon Titan Multimodal Embeddings on Amazon Bedrock: a request for each, by the AWS SDK
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html).
 *
 * | what happens | error |
 * |---|---|
 * | no credentials, or not the permission `bedrock:InvokeModel` or access to the model | `unauthorized` (image-embedder-key) |
 * | no such model in the region | `not-found` (image-embedder-model) |
 * | too many requests, 5xx, no answer | `unavailable` (image-embedder-unavailable) |
 * | an image or a text that is refused | `invalid` (image-refused) |
 * | an answer that is no vector | `invalid` (image-embedder-answer) |
 * | the package is not installed | `unsupported` (image-embedder-missing) |
 */
import { invalid, isSiltstoneError, notFound, unauthorized, unavailable, unsupported } from 'siltstone/passages'
import { loadBedrock } from '../host/aws-clients.ts'
import { isMissing } from '../host/optional.ts'
import { type ImageEmbedder, unitVector } from './image-embedder.ts'

export interface BedrockImageEmbedderOptions {
  /** Default `amazon.titan-embed-image-v1`. */
  model?: string
  /** 256, 384 or 1,024. Default 1,024. */
  dimension?: 256 | 384 | 1024
  /** Default: as the AWS SDK finds it (`AWS_REGION`, the profile). */
  region?: string
  /** Of another server, for tests. Default: that of AWS. */
  endpoint?: string
}

const DIMENSIONS: readonly number[] = [256, 384, 1_024]
/** What Titan accepts. */
const MAX_IMAGE_BYTES = 25 * 1024 * 1024
/** Requests at the same time. */
const AT_ONCE = 4

type Sdk = Awaited<ReturnType<typeof loadBedrock>>

/**
 * The credentials are those of the AWS SDK's chain.
 * @throws SiltstoneError `invalid` (image-embedder-option) for a dimension that Titan does not have
 * @param load for tests: the package instead of the installed one
 */
export function bedrockImageEmbedder(
  options: BedrockImageEmbedderOptions = {},
  load: () => Promise<unknown> = loadBedrock,
): ImageEmbedder {
  const { model = 'amazon.titan-embed-image-v1', dimension = 1_024, region, endpoint } = options
  if (!DIMENSIONS.includes(dimension))
    throw invalid('image-embedder-option', `dimension is ${String(dimension)}: give ${DIMENSIONS.join(', ')}`, {
      field: 'dimension',
    })
  let opened: { sdk: Sdk; client: InstanceType<Sdk['BedrockRuntimeClient']> } | undefined
  const open = async () => {
    if (opened !== undefined) return opened
    const sdk = await loaded(load)
    const config = { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
    return (opened ??= { sdk, client: new sdk.BedrockRuntimeClient(config) })
  }
  const ask = async (input: object, signal?: AbortSignal): Promise<Float32Array> => {
    const { sdk, client } = await open()
    const body = JSON.stringify({ ...input, embeddingConfig: { outputEmbeddingLength: dimension } })
    const json = 'application/json'
    const command = new sdk.InvokeModelCommand({ modelId: model, body, contentType: json, accept: json })
    let text: string
    try {
      const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal })
      text = new TextDecoder().decode(answer.body)
    } catch (error) {
      signal?.throwIfAborted()
      throw translated(error, model)
    }
    return unitVector(embeddingIn(text), dimension, `Amazon Bedrock, ${model}`)
  }
  const all = async <T>(items: readonly T[], inputOf: (item: T) => object, signal?: AbortSignal) => {
    const vectors: Float32Array[] = []
    for (let at = 0; at < items.length; at += AT_ONCE) {
      signal?.throwIfAborted()
      vectors.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map((item) => ask(inputOf(item), signal)))))
    }
    return vectors
  }
  const close = async () => opened?.client.destroy()
  return {
    name: `bedrock/${model}#${dimension}`,
    dimension,
    embedImages: (images, signal) => all(images, (image) => ({ inputImage: base64(image) }), signal),
    embedTexts: (texts, signal) => all(texts, (text) => ({ inputText: text }), signal),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** @throws SiltstoneError `invalid` (image-refused) for one that is larger than Titan accepts */
function base64(image: Uint8Array): string {
  if (image.length > MAX_IMAGE_BYTES)
    throw invalid('image-refused', `an image has ${image.length} bytes, and Titan accepts ${MAX_IMAGE_BYTES}: scale it`)
  return Buffer.from(image.buffer, image.byteOffset, image.length).toString('base64')
}

function embeddingIn(text: string): unknown {
  let answer: { embedding?: unknown; message?: unknown } | null
  try {
    answer = JSON.parse(text) as typeof answer
  } catch (cause) {
    throw invalid('image-embedder-answer', 'Amazon Bedrock answered no JSON', { cause })
  }
  // Titan says in a message of an answer that succeeded what it could not do.
  if (typeof answer?.message === 'string' && answer.message !== '')
    throw invalid('image-refused', `Amazon Bedrock: ${answer.message.slice(0, 300)}`)
  return answer?.embedding
}

/** @throws SiltstoneError `unsupported` (image-embedder-missing) */
async function loaded(load: () => Promise<unknown>): Promise<Sdk> {
  try {
    return (await load()) as Sdk
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    const remedy = 'npm install @aws-sdk/client-bedrock-runtime'
    throw unsupported('image-embedder-missing', `Vectors by Amazon Bedrock need its client: ${remedy}`, { cause })
  }
}

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number }
}

function translated(error: unknown, model: string): unknown {
  if (isSiltstoneError(error) || !(error instanceof Error)) return error
  const { name, message, $metadata: { httpStatusCode: status } = {} } = error as SdkError
  const said = `Amazon Bedrock: ${name}: ${message.slice(0, 300)}`
  const cause = { cause: error }
  if (status === 401 || status === 403 || /^(?:CredentialsProvider|TokenProvider)/.test(name))
    return unauthorized(
      'image-embedder-key',
      `${said}. Check the credentials, bedrock:InvokeModel, and the access to ${model} in this region.`,
      cause,
    )
  if (/region is missing/i.test(message))
    return invalid('image-embedder-option', `${said}. Set AWS_REGION or \`region\`.`, { ...cause, field: 'region' })
  if (status === 404) return notFound('image-embedder-model', `${said}. Check the model and the region.`, cause)
  const isLater = status === undefined || [408, 424, 429].includes(status) || status >= 500
  return isLater ? unavailable('image-embedder-unavailable', said, cause) : invalid('image-refused', said, cause)
}
