/**
 * Writes a Whisper model as whisper.cpp reads it: the sizes of the model, the mel filters, the bytes of the tokens, and each
 * tensor as rank, length of its name, type, shape with the columns first, name and values. Matrices are quantised; other
 * tensors of more than one dimension are float16, and biases, norms and positions float32.
 */
import { readCTranslate2, type Variable } from './ctranslate2.ts'
import { FREQUENCIES, MEL_BANDS, melFilters } from './mel-filters.ts'
import { quantise, type Quantisation } from './quantise.ts'
import { type Tensor, TENSORS, TINY_EN } from './whisper-names.ts'

const MAGIC = 0x67_67_6d_6c
/** Of a tensor; and of the whole model: float16, or two thousand (the second version of the blocks) and the number. */
const TYPE = { f32: 0, f16: 1, q8_0: 8, q5_1: 7 } as const
const MODEL_TYPE: Record<Quantisation, number> = { f16: 1, q8_0: 2_007, q5_1: 2_009 }
/** The tokens of text; those that steer the model are named by whisper.cpp itself. */
const TEXT_TOKENS = 50_256

/**
 * @param weights CTranslate2's `model.bin` of tiny.en
 * @param tokenizer its `tokenizer.json`
 */
export function ggmlModel(weights: Uint8Array, tokenizer: string, to: Quantisation): Uint8Array<ArrayBuffer> {
  const variables = readCTranslate2(weights)
  const { vocabulary, audioContext, width, heads, layers, textContext } = TINY_EN
  const sizes = [vocabulary, audioContext, width, heads, layers, textContext, width, heads, layers, MEL_BANDS]
  const parts: Uint8Array[] = [int32(MAGIC, ...sizes, MODEL_TYPE[to])]
  parts.push(int32(MEL_BANDS, FREQUENCIES), bytesOf(melFilters()))
  const tokens = tokenBytes(tokenizer)
  parts.push(int32(tokens.length))
  for (const token of tokens) parts.push(int32(token.length), token)
  for (const tensor of TENSORS) parts.push(...tensorParts(tensor, variables.get(tensor.variable), to))
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function tensorParts(tensor: Tensor, variable: Variable | undefined, to: Quantisation): Uint8Array[] {
  if (!variable) throw new Error(`the weights have no variable ${tensor.variable}`)
  const { shape, bytes } = cut(variable, tensor)
  const isMatrix = shape.length === 2 && !tensor.isExact
  const isExact = tensor.isExact || shape.length < 2
  const type = isExact ? 'f32' : isMatrix ? to : 'f16'
  const name = new TextEncoder().encode(tensor.name)
  return [
    int32(shape.length, name.length, TYPE[type], ...shape.toReversed()),
    name,
    type === 'f16' ? bytes : type === 'f32' ? bytesOf(floats(bytes)) : quantise(floats(bytes), type),
  ]
}

function cut({ shape, bytes }: Variable, { rows, shape: expected }: Tensor): Variable {
  if (!rows) return { shape: expected ?? shape, bytes }
  const rowBytes = bytes.length / (shape[0] as number)
  return {
    shape: [rows.count, ...shape.slice(1)],
    bytes: bytes.subarray(rows.from * rowBytes, (rows.from + rows.count) * rowBytes),
  }
}

function floats(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 2 }, (_, k) => view.getFloat16(k * 2, true))
}

/** GPT-2's tokenizer writes each byte as a letter: a printable one as itself, the others as letters from U+0100 on. */
function tokenBytes(tokenizer: string): Uint8Array[] {
  const { model } = JSON.parse(tokenizer) as { model: { vocab: Record<string, number> } }
  const byteOf = new Map<string, number>()
  let next = 256
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    byteOf.set(String.fromCharCode(isPrintable ? byte : next++), byte)
  }
  const tokens: Uint8Array[] = []
  for (const [token, id] of Object.entries(model.vocab))
    if (id < TEXT_TOKENS) tokens[id] = Uint8Array.from(token, (letter) => byteOf.get(letter) as number)
  if (tokens.length !== TEXT_TOKENS || tokens.includes(undefined as never))
    throw new Error(`the tokenizer does not have the tokens 0 to ${TEXT_TOKENS - 1}`)
  return tokens
}

const int32 = (...values: number[]) => bytesOf(Int32Array.from(values))
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)
