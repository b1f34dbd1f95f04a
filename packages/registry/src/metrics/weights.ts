/** The one set of weight files that a program would load. Repositories often hold the same weights in several formats. */
import { type Evidence, type SourceFile, valueOf } from '../evidence/evidence.ts'

export interface WeightSet {
  /** How it was chosen, for people. */
  text: string
  sizeBytes: number
  /** Empty if the size comes from a number of parameters. */
  paths: readonly string[]
}

const BYTES_OF_TYPE: Readonly<Record<string, number>> = {
  F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1,
  F8_E4M3: 1, F8_E5M2: 1, F4: 0.5, I4: 0.5, U4: 0.5,
} // biome-ignore format: a table

/**
 * In this order: safetensors (by its index, else all in the root), PyTorch `.bin` likewise, the smallest GGUF or ONNX, any other
 * weights in the root, parameters times the size of their type. Undefined: there is no such file of known size.
 */
export function loadableWeights({ files, texts, hub }: Evidence): WeightSet | undefined {
  const all = valueOf(files) ?? []
  const ofIndex = (name: string) => shardsOf(valueOf(texts)?.[name], all)
  const inRoot = (pattern: RegExp) => all.filter(({ path }) => pattern.test(path))
  const candidates: (WeightSet | undefined)[] = [
    sizeOf('safetensors by their index', ofIndex('model.safetensors.index.json')),
    sizeOf('safetensors', inRoot(/^[^/]+\.safetensors$/)),
    sizeOf('PyTorch weights by their index', ofIndex('pytorch_model.bin.index.json')),
    sizeOf('PyTorch weights', inRoot(/^(?:pytorch_model|adapter_model|model)[^/]*\.bin$/)),
    smallest(all.filter(({ path }) => /\.(?:gguf|onnx|onnx_data)$/.test(path))),
    sizeOf('weights', inRoot(/^[^/]+\.(?:h5|pt|pth|ckpt|msgpack|tflite|ot|npz)$/)),
  ]
  return candidates.find((set) => set !== undefined) ?? byParameters(valueOf(hub)?.parameters)
}

function shardsOf(index: string | undefined, files: readonly SourceFile[]): SourceFile[] {
  if (index === undefined) return []
  try {
    const { weight_map: map } = JSON.parse(index) as { weight_map?: Record<string, string> }
    const names = new Set(Object.values(map ?? {}))
    const shards = files.filter(({ path }) => names.has(path))
    return shards.length === names.size ? shards : []
  } catch {
    // An index that is no JSON names no shards; the files themselves still count.
    return []
  }
}

function sizeOf(what: string, files: readonly SourceFile[]): WeightSet | undefined {
  if (files.length === 0 || files.some(({ sizeBytes }) => sizeBytes === null)) return undefined
  const paths = files.map(({ path }) => path)
  const sizeBytes = files.reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0)
  return {
    text: `${what}: ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`,
    sizeBytes,
    paths,
  }
}

/** Parts of one model (`…-00001-of-00003.gguf`, `model.onnx` and `model.onnx_data`) belong together. */
function smallest(files: readonly SourceFile[]): WeightSet | undefined {
  const sets = Map.groupBy(files, ({ path }) =>
    path.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/, '').replace(/\.onnx_data$/, '.onnx'),
  )
  const sizes = [...sets.values()].flatMap((set) => sizeOf('smallest of its format', set) ?? [])
  return sizes.toSorted((a, b) => a.sizeBytes - b.sizeBytes)[0]
}

function byParameters(parameters: Readonly<Record<string, number>> | null | undefined): WeightSet | undefined {
  const counts = Object.entries(parameters ?? {})
  if (counts.length === 0 || counts.some(([type]) => BYTES_OF_TYPE[type] === undefined)) return undefined
  const sizeBytes = counts.reduce((sum, [type, count]) => sum + (BYTES_OF_TYPE[type] ?? 0) * count, 0)
  return { text: `parameters: ${counts.map(([type, count]) => `${count} ${type}`).join(', ')}`, sizeBytes, paths: [] }
}
