import fc from 'fast-check'
import { expect, it } from 'vitest'
import { postForm } from './post-form.ts'

async function* arriving(bytes: Buffer, cut: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut)
}

async function read(bytes: Buffer, cut: number) {
  const form = await postForm(arriving(bytes, cut), 'multipart/form-data; boundary=line')
  const chunks: Uint8Array[] = []
  for await (const chunk of form.file) chunks.push(chunk)
  return {
    fields: Object.fromEntries(form.fields),
    name: form.fileName,
    type: form.fileType,
    file: Buffer.concat(chunks),
  }
}

const field = (name: string, value: string) =>
  `--line\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const FILE =
  '--line\r\nContent-Disposition: form-data; name="file"; filename="a b.mp4"\r\nContent-Type: video/mp4\r\n\r\n'

it('gives back fields and file, however they were cut on the way', async () => {
  // Texts that are nearly a boundary.
  const piece = fc.constantFrom('\r', '\n', '\r\n', '--', '--lin', '\r\n--lin', 'x', 'line')
  const body = fc
    .array(piece, { maxLength: 20 })
    .map((pieces) => pieces.join(''))
    .filter((text) => !text.includes('\r\n--line'))
  await fc.assert(
    fc.asyncProperty(body, fc.integer({ min: 1, max: 40 }), async (text, cut) => {
      const bytes = Buffer.from(`${field('Key', 'uploads/${filename}')}${FILE}${text}\r\n--line--\r\n`)
      const got = await read(bytes, cut)
      expect(got).toMatchObject({ fields: { key: 'uploads/${filename}' }, name: 'a b.mp4', type: 'video/mp4' })
      expect(got.file.toString()).toBe(text)
    }),
    { numRuns: 100 },
  )
})

it('refuses a form that ends early, has no file, or too much before it', async () => {
  const early = `${field('key', 'a')}${FILE}the beginning`
  await expect(read(Buffer.from(early), 10)).rejects.toMatchObject({ code: 'IncompleteBody' })
  const none = [field('key', 'a'), `${field('key', 'a')}--line--\r\n`, field('key', 'a'.repeat(30_000)) + FILE]
  for (const text of none)
    await expect(read(Buffer.from(text), 10)).rejects.toMatchObject({ code: 'MalformedPOSTRequest' })
  await expect(postForm(arriving(Buffer.from('x'), 1), 'text/plain')).rejects.toMatchObject({
    code: 'MalformedPOSTRequest',
  })
})
