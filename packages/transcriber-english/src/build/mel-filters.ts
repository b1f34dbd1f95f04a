/**
 * The filters that turn a spectrum into Whisper's 80 mel bands: triangles on Slaney's mel scale (linear below 1 kHz,
 * logarithmic above), each scaled to an area of one, over 201 frequencies of a Fourier transform of 400 samples at 16 kHz.
 * (M. Slaney, Auditory Toolbox, 1998; the same as `librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)`.)
 */
export const MEL_BANDS = 80
export const FREQUENCIES = 201
const HIGHEST_HZ = 8_000
const STEP_HZ = HIGHEST_HZ / (FREQUENCIES - 1)

const BREAK_HZ = 1_000
const BREAK_MEL = 15
const LOG_STEP = Math.log(6.4) / 27

const melOf = (hz: number) =>
  hz < BREAK_HZ ? (hz * BREAK_MEL) / BREAK_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP
const hzOf = (mel: number) =>
  mel < BREAK_MEL ? (mel * BREAK_HZ) / BREAK_MEL : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL))

/** Bands × frequencies. */
export function melFilters(): Float32Array<ArrayBuffer> {
  const borders = Array.from({ length: MEL_BANDS + 2 }, (_, k) => hzOf((melOf(HIGHEST_HZ) * k) / (MEL_BANDS + 1)))
  const filters = new Float32Array(MEL_BANDS * FREQUENCIES)
  for (let band = 0; band < MEL_BANDS; band++) {
    const [from, middle, to] = borders.slice(band, band + 3) as [number, number, number]
    for (let k = 0; k < FREQUENCIES; k++) {
      const hz = k * STEP_HZ
      const height = Math.max(0, Math.min((hz - from) / (middle - from), (to - hz) / (to - middle)))
      filters[band * FREQUENCIES + k] = (height * 2) / (to - from)
    }
  }
  return filters
}
