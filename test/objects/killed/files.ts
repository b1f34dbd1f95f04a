/** Small files of many kinds, each another text, some of which nobody can read. */
import { pageOfText, writePdf } from '@siltstone/processors/testing'

export interface TestFile {
  key: string
  bytes: Uint8Array
  /** Undefined: it becomes records. */
  deadWith?: string
}

const utf8 = (text: string) => new TextEncoder().encode(text)
const sentence = (n: number, revision: number) =>
  `River number ${n} drops its mud where the water slows, as revision ${revision} of this file says.`

/** One pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A tenth of a second of silence. */
const WAV = (() => {
  const samples = 1_600
  const wav = Buffer.alloc(44 + 2 * samples)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  for (const [at, value] of [16, 1 | (1 << 16), 16_000, 32_000, 2 | (16 << 16)].entries())
    wav.writeUInt32LE(value, 16 + 4 * at)
  wav.write('data', 36)
  wav.writeUInt32LE(2 * samples, 40)
  return wav
})()

const KINDS: readonly ((n: number, text: string) => Omit<TestFile, 'key'> & { suffix: string })[] = [
  (n, text) => ({
    suffix: 'md',
    bytes: utf8(`# Section ${n}\n\n${text}\n\n## Further\n\nSand follows the mud of ${n}.\n`),
  }),
  (_, text) => ({ suffix: 'txt', bytes: utf8(text) }),
  (n, text) => ({
    suffix: 'html',
    bytes: utf8(
      `<!doctype html><html><head><title>${n}</title></head><body><article><h1>${n}</h1><p>${text}</p></article></body></html>`,
    ),
  }),
  (n, text) => ({
    suffix: 'eml',
    bytes: utf8(
      `From: a@example.com\nTo: b@example.com\nSubject: Mail ${n}\nDate: Fri, 1 Mar 2024 10:00:00 +0000\nContent-Type: text/plain\n\n${text}\n`,
    ),
  }),
  (n, text) => ({ suffix: 'csv', bytes: utf8(`river,what\n${n},"${text}"\n`) }),
  (_, text) => ({ suffix: 'srt', bytes: utf8(`1\n00:00:00,500 --> 00:00:03,500\n${text}\n`) }),
  (n, text) => ({ suffix: 'pdf', bytes: writePdf([pageOfText([`# Page ${n}`, text]), pageOfText(['# End', text])]) }),
  (n, text) => ({ suffix: 'py', bytes: utf8(`def river_${n}():\n    """${text}"""\n    return ${n}\n`) }),
  () => ({ suffix: 'png', bytes: PNG }),
  () => ({ suffix: 'wav', bytes: WAV }),
  (n, text) => ({ suffix: 'broken.pdf', bytes: utf8(`%PDF-1.7\n${n} ${text}`), deadWith: 'corrupt-file' }),
  (_, text) => ({
    suffix: 'locked.pdf',
    bytes: writePdf([pageOfText([text])], { isLocked: true }),
    deadWith: 'encrypted',
  }),
  (n) => ({
    suffix: 'bin',
    // Neither text of any encoding nor the beginning of anything known.
    bytes: Uint8Array.from({ length: 500 }, (_, k) => ((k + 3) * (n + 7) * 2_654_435_761) >>> 24),
    deadWith: 'unsupported-type',
  }),
]

export function fileOf(n: number, revision: number): TestFile {
  const kind = KINDS[n % KINDS.length] as (typeof KINDS)[number]
  const { suffix, ...file } = kind(n, sentence(n, revision))
  return { key: `uploads/${n}.${suffix}`, ...file }
}
