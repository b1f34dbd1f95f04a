import { fileURLToPath } from 'node:url'

/** Path of the model Whisper tiny.en, in ggml's format. In a clone of the repository it has to be made first. */
export const modelPath: string = fileURLToPath(new URL('./model/ggml-tiny.en-q8_0.bin', import.meta.url))
