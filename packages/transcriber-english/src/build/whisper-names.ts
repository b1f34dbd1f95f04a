/** Where whisper.cpp's tensors of the model tiny.en are in CTranslate2's variables. */
export interface Tensor {
  name: string
  variable: string
  /** Rows of the variable, where it has several tensors one under another. */
  rows?: { from: number; count: number }
  /** The shape that whisper.cpp expects, rows first, where it is not the variable's. */
  shape?: readonly number[]
  /** Stays as exact as it is. */
  isExact?: boolean
}

/** Of Whisper tiny.en. */
export const TINY_EN = {
  vocabulary: 51_864,
  audioContext: 1_500,
  width: 384,
  heads: 6,
  layers: 4,
  textContext: 448,
} as const

const { width, layers } = TINY_EN

const norm = (name: string, variable: string): Tensor[] => [
  { name: `${name}.weight`, variable: `${variable}/gamma` },
  { name: `${name}.bias`, variable: `${variable}/beta` },
]

const linear = (name: string, variable: string): Tensor[] => [
  { name: `${name}.weight`, variable: `${variable}/weight` },
  { name: `${name}.bias`, variable: `${variable}/bias` },
]

/** Query, key and value, or the last two, are one matrix there. Whisper's keys have no bias. */
const projections = (name: string, variable: string, parts: readonly string[]): Tensor[] =>
  parts.flatMap((part, k) =>
    linear(`${name}.${part}`, variable)
      .filter((tensor) => part !== 'key' || tensor.name.endsWith('.weight'))
      .map((tensor) => ({ ...tensor, rows: { from: k * width, count: width } })),
  )

const convolution = (k: number): Tensor[] => {
  const [weight, bias] = linear(`encoder.conv${k}`, `encoder/conv${k}`) as [Tensor, Tensor]
  return [weight, { ...bias, shape: [width, 1], isExact: true }]
}

const positions = (side: string): Tensor => ({
  name: `${side}.positional_embedding`,
  variable: `${side}/position_encodings/encodings`,
  isExact: true,
})

const layer = (side: string, k: number): Tensor[] => {
  const name = `${side}.blocks.${k}`
  const variable = `${side}/layer_${k}`
  return [
    ...norm(`${name}.attn_ln`, `${variable}/self_attention/layer_norm`),
    ...projections(`${name}.attn`, `${variable}/self_attention/linear_0`, ['query', 'key', 'value']),
    ...linear(`${name}.attn.out`, `${variable}/self_attention/linear_1`),
    ...(side === 'decoder' ? crossAttention(`${name}.cross_attn`, `${variable}/attention`) : []),
    ...norm(`${name}.mlp_ln`, `${variable}/ffn/layer_norm`),
    ...linear(`${name}.mlp.0`, `${variable}/ffn/linear_0`),
    ...linear(`${name}.mlp.2`, `${variable}/ffn/linear_1`),
  ]
}

const crossAttention = (name: string, variable: string): Tensor[] => [
  ...norm(`${name}_ln`, `${variable}/layer_norm`),
  ...linear(`${name}.query`, `${variable}/linear_0`),
  ...projections(name, `${variable}/linear_1`, ['key', 'value']),
  ...linear(`${name}.out`, `${variable}/linear_2`),
]

export const TENSORS: readonly Tensor[] = [
  ...convolution(1),
  ...convolution(2),
  positions('encoder'),
  ...norm('encoder.ln_post', 'encoder/layer_norm'),
  positions('decoder'),
  { name: 'decoder.token_embedding.weight', variable: 'decoder/embeddings/weight' },
  ...norm('decoder.ln', 'decoder/layer_norm'),
  ...['encoder', 'decoder'].flatMap((side) => Array.from({ length: layers }, (_, k) => layer(side, k)).flat()),
]
