/** `multipart/form-data` whose last field is the file (RFC 7578), read as it arrives. */
import { ByteReader } from './byte-reader.ts'
import { S3Error } from './s3-error.ts'

const MAX_FIELDS_BYTES = 20 * 1024

export interface PostForm {
  /** Names in lower case. */
  fields: ReadonlyMap<string, string>
  fileName: string
  fileType: string | undefined
  file: AsyncIterable<Uint8Array>
}

/** @throws S3Error MalformedPOSTRequest */
export async function postForm(source: AsyncIterable<Uint8Array>, contentType: string): Promise<PostForm> {
  const match = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw malformed('its Content-Type is not multipart/form-data with a boundary')
  const reader = new ByteReader(source)
  const fields = new Map<string, string>()
  let size = 0
  const first = await reader.line()
  if (first !== `--${boundary}`) throw malformed('it does not begin with its boundary')
  for (;;) {
    const { name, fileName, type } = await partHeaders(reader)
    const content = reader.until(Buffer.from(`\r\n--${boundary}`))
    if (name === 'file') return { fields, fileName: fileName ?? '', fileType: type, file: fileBytes(content) }
    const chunks: Uint8Array[] = []
    for (let piece = await content.next(); ; piece = await content.next()) {
      if (piece.done === true) {
        if (!piece.value) throw malformed('it ends within a field')
        break
      }
      size += piece.value.length
      if (size > MAX_FIELDS_BYTES) throw malformed(`its fields have more than ${MAX_FIELDS_BYTES} bytes`)
      chunks.push(Buffer.from(piece.value))
    }
    fields.set(name, Buffer.concat(chunks).toString('utf8'))
    if ((await reader.line()) !== '') throw malformed('it has no field with the name file')
  }
}

async function partHeaders(reader: ByteReader): Promise<{ name: string; fileName?: string; type?: string }> {
  let name: string | undefined
  let fileName: string | undefined
  let type: string | undefined
  for (let count = 0; ; count++) {
    const line = await reader.line()
    if (line === undefined || count > 20) throw malformed('a field has no end of its headers')
    if (line === '') break
    const colon = line.indexOf(':')
    const header = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (header === 'content-type') type = value
    if (header !== 'content-disposition') continue
    name = /\bname="((?:[^"\\]|\\.)*)"/.exec(value)?.[1] ?? /\bname=([^;\s]+)/.exec(value)?.[1]
    fileName = /\bfilename="((?:[^"\\]|\\.)*)"/.exec(value)?.[1]
  }
  if (name === undefined) throw malformed('a field has no name')
  return { name: name.toLowerCase(), ...(fileName !== undefined && { fileName }), ...(type !== undefined && { type }) }
}

async function* fileBytes(content: AsyncGenerator<Uint8Array, boolean>): AsyncGenerator<Uint8Array> {
  for (let piece = await content.next(); ; piece = await content.next()) {
    if (piece.done === true) {
      if (!piece.value) throw new S3Error('IncompleteBody', 'The form ended within the file.')
      return
    }
    yield piece.value
  }
}

function malformed(problem: string): S3Error {
  return new S3Error('MalformedPOSTRequest', `The body of your POST request is not well-formed: ${problem}.`)
}
