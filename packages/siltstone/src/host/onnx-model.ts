import { resolve } from 'node:path'
import { unsupported } from '../errors.ts'
import type { ExtractFeatures, OnnxModelOptions } from '../ports/model-host.ts'
import { importOptional } from './optional-package.ts'

/** The part of `@huggingface/transformers` that is used. */
interface Transformers {
  env: { allowRemoteModels: boolean; allowLocalModels: boolean }
  pipeline(task: string, model: string, options: object): Promise<Pipeline>
}
type Pipeline = (
  texts: string[],
  options: object,
) => Promise<{ dims: readonly number[]; data: Float32Array; dispose?: () => void }>

/**
 * Loads a sentence encoder from a directory; nothing is downloaded.
 * @throws SiltstoneError `unsupported`: package-missing, embedding-model-missing (a file is missing or unreadable); the function: embedding-model-failed
 */
export async function loadOnnxModel(
  options: OnnxModelOptions,
  load: (packageName: string, purpose: string) => Promise<unknown> = importOptional,
): Promise<ExtractFeatures> {
  const { env, pipeline } = (await load(
    '@huggingface/transformers',
    'Embedding with a local ONNX model',
  )) as Transformers
  env.allowRemoteModels = false
  env.allowLocalModels = true
  // An absolute path is never taken for the name of a model on a hub.
  const directory = resolve(options.directory)
  const extract = await pipeline('feature-extraction', directory, {
    dtype: options.dtype ?? 'fp32',
    local_files_only: true,
  }).catch((cause: unknown) => {
    const message = `No usable ONNX model in ${directory}: ${(cause as Error).message.slice(0, 300)}`
    const remedy = 'It must hold config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.'
    throw unsupported('embedding-model-missing', `${message} ${remedy}`, { cause })
  })
  return async (texts) => {
    const how = { pooling: options.pooling ?? 'mean', normalize: options.normalize ?? true }
    const tensor = await extract(texts, how).catch((cause: unknown) => {
      const message = `The ONNX model in ${directory} failed: ${(cause as Error).message.slice(0, 300)}`
      throw unsupported('embedding-model-failed', message, { cause })
    })
    const [rows = 0, dimension = 0] = tensor.dims
    const data = Float32Array.from(tensor.data)
    tensor.dispose?.()
    return { data, rows, dimension }
  }
}
