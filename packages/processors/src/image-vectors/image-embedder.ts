/** Vectors of images, and of the texts that they are searched with, in one space. */
import { invalid } from 'siltstone/passages'

export interface ImageEmbedder extends AsyncDisposable {
  /** With the model, as it may be stored with records: `bedrock/amazon.titan-embed-image-v1#1024`. */
  readonly name: string
  /** Of every vector. */
  readonly dimension: number
  /**
   * @param images JPEG or PNG files
   * @returns a vector of length 1 for each, in their order
   */
  embedImages(images: readonly Uint8Array[], signal?: AbortSignal): Promise<Float32Array[]>
  /** @returns a vector of length 1 for each text, in their order; near those of the images that it describes */
  embedTexts(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>
  /** Frees the model. */
  close(): Promise<void>
}

/**
 * The numbers as a vector of length 1.
 * @throws SiltstoneError `invalid` (image-embedder-answer) unless they are `dimension` finite numbers, and not all 0
 */
export function unitVector(numbers: unknown, dimension: number, from: string): Float32Array {
  const isList = Array.isArray(numbers) || numbers instanceof Float32Array
  const vector = Float32Array.from(isList ? (numbers as ArrayLike<number>) : [])
  if (vector.length !== dimension)
    throw invalid('image-embedder-answer', `${from} gave ${vector.length} numbers instead of ${dimension}`)
  const length = Math.hypot(...vector)
  if (!(length > 0 && Number.isFinite(length)))
    throw invalid('image-embedder-answer', `${from} gave numbers that make no direction`)
  return vector.map((number) => number / length)
}
