/**
 * Speech in windows: a recording of any length is transcribed in bounded memory. A window is cut in the quietest tenth of a
 * second of its last part, so that words stay whole.
 */
import type { TranscriptSegment } from '../processor.ts'

export const SAMPLE_RATE_HZ = 16_000
const WINDOW_SAMPLES = 120 * SAMPLE_RATE_HZ
/** The part of a window in which it may be cut. */
const CUT_SAMPLES = 20 * SAMPLE_RATE_HZ
const QUIET_SAMPLES = SAMPLE_RATE_HZ / 10

export type Transcribe = (pcm: Float32Array) => Promise<TranscriptSegment[]>

export class SpeechWindows {
  readonly segments: TranscriptSegment[] = []
  readonly #transcribe: Transcribe
  readonly #window = new Float32Array(WINDOW_SAMPLES)
  #filled = 0
  /** Samples before the window. */
  #before = 0
  /** A byte of a sample whose other byte has not come yet. */
  #half: number | undefined

  constructor(transcribe: Transcribe) {
    this.#transcribe = transcribe
  }

  /** @param bytes samples of 16 bits, little-endian, mono, 16 kHz */
  async push(bytes: Uint8Array): Promise<void> {
    let at = 0
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (this.#half === undefined) {
        this.#half = byte
        continue
      }
      this.#window[this.#filled++] = (((byte << 24) >> 16) | this.#half) / 32_768
      this.#half = undefined
      if (this.#filled === WINDOW_SAMPLES) await this.#cut(quietest(this.#window))
    }
  }

  async end(): Promise<void> {
    if (this.#filled > 0) await this.#cut(this.#filled)
  }

  async #cut(samples: number): Promise<void> {
    const offsetMs = (this.#before / SAMPLE_RATE_HZ) * 1_000
    const lengthMs = (samples / SAMPLE_RATE_HZ) * 1_000
    for (const { startMs, endMs, text } of await this.#transcribe(this.#window.slice(0, samples)))
      if (text.trim() !== '' && startMs < lengthMs)
        this.segments.push({
          startMs: offsetMs + startMs,
          endMs: offsetMs + Math.min(endMs, lengthMs),
          text: text.trim(),
        })
    this.#window.copyWithin(0, samples, this.#filled)
    this.#filled -= samples
    this.#before += samples
  }
}

/** The middle of the quietest stretch at the end of a full window. */
function quietest(window: Float32Array): number {
  let best = window.length
  let least = Infinity
  for (let at = window.length - CUT_SAMPLES; at + QUIET_SAMPLES <= window.length; at += QUIET_SAMPLES) {
    let energy = 0
    for (let i = at; i < at + QUIET_SAMPLES; i++) energy += (window[i] as number) ** 2
    if (energy <= least) {
      least = energy
      best = at + QUIET_SAMPLES / 2
    }
  }
  return best
}
