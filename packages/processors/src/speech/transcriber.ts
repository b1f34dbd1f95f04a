/** Speech into text with times. A driver is what `ProcessContext.transcribe` calls. */
import type { TranscriptSegment } from '../processor.ts'

export interface Transcriber extends AsyncDisposable {
  /** With the model, as it may be stored with records: `openai/whisper-1`. */
  readonly name: string
  /**
   * @param pcm mono, 16,000 samples a second, −1 to 1
   * @returns segments in the order of their times, which count from the first sample
   */
  transcribe(pcm: Float32Array, signal: AbortSignal): Promise<TranscriptSegment[]>
  /** Frees the model. Calls that run are stopped. */
  close(): Promise<void>
}

/** Samples of 16 bits. */
export const samplesOf = (pcm: Float32Array): Int16Array<ArrayBuffer> =>
  Int16Array.from(pcm, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))))

/** A WAV file (RIFF, PCM of 16 bits, mono) of the samples. */
export function wavOf(samples: Int16Array, sampleRateHz: number): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(44 + samples.length * 2)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(36 + samples.length * 2, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(sampleRateHz, 24)
  bytes.writeUInt32LE(sampleRateHz * 2, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(samples.length * 2, 40)
  for (const [k, sample] of samples.entries()) bytes.writeInt16LE(sample, 44 + k * 2)
  return new Uint8Array(bytes)
}
