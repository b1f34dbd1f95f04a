/**
 * Vectors of images and texts by a CLIP model on this machine, with `@huggingface/transformers` (ONNX), which fetches the model from
 * the Hugging Face Hub at its first use, or reads it from its cache.
 */
import { invalid, isSiltstoneError, unsupported } from 'siltstone/passages'
import { isMissing } from '../host/optional.ts'
import { type ImageEmbedder, unitVector } from './image-embedder.ts'

export interface TransformersImageEmbedderOptions {
  /** A CLIP model with ONNX files. Default `Xenova/clip-vit-base-patch32`. */
  model?: string
  /** Of its vectors. Default 512. */
  dimension?: number
  /** Of its numbers, as the library names it: `fp32`, `fp16`, `q8`. Default: the library's. */
  dtype?: string
}

const PACKAGE = '@huggingface/transformers'
/** Images, or texts, that are worked on together. */
const BATCH = 8

interface Tensor {
  dims: readonly number[]
  data: Float32Array
}
type Inputs = Record<string, unknown>
interface Loading<T> {
  from_pretrained(model: string, options: object): Promise<T>
}
type Model = ((inputs: Inputs) => Promise<Record<string, Tensor | undefined>>) & { dispose?(): Promise<unknown> }
/** What is used of the package. */
interface Transformers {
  AutoTokenizer: Loading<(texts: string[], options: object) => Inputs | Promise<Inputs>>
  AutoProcessor: Loading<(images: unknown[]) => Promise<Inputs>>
  CLIPTextModelWithProjection: Loading<Model>
  CLIPVisionModelWithProjection: Loading<Model>
  RawImage: { fromBlob(blob: Blob): Promise<unknown> }
}

/**
 * The half of the model that is needed is loaded at its first use.
 * @param load for tests: the package instead of the installed one
 */
export function transformersImageEmbedder(
  { model = 'Xenova/clip-vit-base-patch32', dimension = 512, dtype }: TransformersImageEmbedderOptions = {},
  load: () => Promise<unknown> = () => import(/* @vite-ignore */ PACKAGE),
): ImageEmbedder {
  const options = dtype === undefined ? {} : { dtype }
  const models: Model[] = []
  const kept = async (loading: Loading<Model>) => {
    const made = await loading.from_pretrained(model, options)
    models.push(made)
    return made
  }
  const library = once(() => loaded(load))
  const vision = once(async () => {
    const { AutoProcessor, CLIPVisionModelWithProjection, RawImage } = await library()
    return {
      prepare: await AutoProcessor.from_pretrained(model, options),
      run: await kept(CLIPVisionModelWithProjection),
      decode: (image: Uint8Array) => decoded(RawImage, image),
    }
  })
  const words = once(async () => {
    const { AutoTokenizer, CLIPTextModelWithProjection } = await library()
    return {
      prepare: await AutoTokenizer.from_pretrained(model, options),
      run: await kept(CLIPTextModelWithProjection),
    }
  })
  const rowsOf = (tensor: Tensor | undefined, count: number): Float32Array[] => {
    const [rows = 0, columns = 0] = tensor?.dims ?? []
    if (tensor === undefined || rows !== count)
      throw invalid('image-embedder-answer', `${model} gave ${rows} vectors for ${count} inputs`)
    return Array.from({ length: count }, (_, k) =>
      unitVector(tensor.data.subarray(k * columns, (k + 1) * columns), dimension, model),
    )
  }
  const close = async () => {
    for (const one of models.splice(0)) await one.dispose?.()
  }
  return {
    name: `transformers/${model}#${dimension}`,
    dimension,
    embedImages: (images, signal) =>
      inBatches(images, signal, async (batch) => {
        const { prepare, run, decode } = await vision()
        const pictures: unknown[] = []
        for (const image of batch) pictures.push(await decode(image))
        return rowsOf((await run(await prepare(pictures)))['image_embeds'], batch.length)
      }),
    embedTexts: (texts, signal) =>
      inBatches(texts, signal, async (batch) => {
        const { prepare, run } = await words()
        // CLIP reads 77 tokens.
        return rowsOf(
          (await run(await prepare([...batch], { padding: true, truncation: true })))['text_embeds'],
          batch.length,
        )
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function inBatches<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  embed: (batch: readonly T[]) => Promise<Float32Array[]>,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = []
  for (let at = 0; at < items.length; at += BATCH) {
    signal?.throwIfAborted()
    vectors.push(...(await embed(items.slice(at, at + BATCH))))
  }
  return vectors
}

/** @throws SiltstoneError `invalid` (image-refused) */
async function decoded(RawImage: Transformers['RawImage'], image: Uint8Array): Promise<unknown> {
  try {
    return await RawImage.fromBlob(new Blob([new Uint8Array(image)]))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw invalid('image-refused', `an image cannot be decoded: ${why.slice(0, 300)}`, { cause })
  }
}

/** @throws SiltstoneError `unsupported` (image-embedder-missing) */
async function loaded(load: () => Promise<unknown>): Promise<Transformers> {
  try {
    return (await load()) as Transformers
  } catch (cause) {
    if (isSiltstoneError(cause) || !isMissing(cause)) throw cause
    throw unsupported('image-embedder-missing', `Vectors of images on this machine need: npm install ${PACKAGE}`, {
      cause,
    })
  }
}

/** Calls `make` once, and after a failure again at the next call. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    }))
}
