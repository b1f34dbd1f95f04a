/**
 * The bytes of a catalog object:
 *
 *     {"crc32":"<8 hex>","body":{"format":"siltstone.…","version":1,…}}
 *
 * The checksum covers the UTF-8 text of the body as it is. Unknown fields are kept when the object is written again; an
 * unknown version is an error.
 *
 * The length of some objects carries information: objects of live collections have an even number of bytes, those of other
 * collections an odd number (a trailing space if necessary). A LIST returns sizes, so it shows which collections are live
 * without a GET of each.
 */
import { utf8Decode, utf8Encode } from '#codec'
import { corrupt, unsupported } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'

export interface CatalogDocument {
  format: string
  version: number
  /** Ids of the object's latest writes and of the operations that these completed; newest last. */
  writes: string[]
}

export interface DocumentType<T extends CatalogDocument> {
  readonly format: T['format']
  readonly version: number
  /** Returns the first field that is missing or has the wrong type. */
  readonly wrongField: (body: Record<string, unknown>, key: string) => string | undefined
  /** Whether the number of bytes has to be even; without it, the length carries no information. */
  readonly evenSize?: (document: T) => boolean
}

const PREFIX = '{"crc32":"'
const MIDDLE = '","body":'
const BODY_AT = PREFIX.length + 8 + MIDDLE.length

export function encodeDocument<T extends CatalogDocument>(type: DocumentType<T>, document: T): Uint8Array {
  const body = JSON.stringify({ ...document, format: type.format, version: type.version })
  const text = `${PREFIX}${crcHex(utf8Encode(body))}${MIDDLE}${body}}`
  const bytes = utf8Encode(text)
  const fits = type.evenSize === undefined || type.evenSize(document) === isEvenSize(bytes.length)
  return fits ? bytes : utf8Encode(`${text} `)
}

export function isEvenSize(sizeBytes: number): boolean {
  return sizeBytes % 2 === 0
}

/** @throws SiltstoneError `corrupt` (catalog-damaged), `unsupported` (unknown-format-version); both name the object */
export function decodeDocument<T extends CatalogDocument>(type: DocumentType<T>, bytes: Uint8Array, key: string): T {
  const body = intactBody(bytes, key)
  if (body['format'] !== type.format) throw damaged(key, `it is ${JSON.stringify(body['format'])}, not ${type.format}`)
  if (body['version'] !== type.version) {
    throw unsupported(
      'unknown-format-version',
      `${key} has format version ${JSON.stringify(body['version'])}, this version of Siltstone reads ${type.version}: use a newer one`,
      { key },
    )
  }
  const wrong = isStrings(body['writes']) ? type.wrongField(body, key) : 'writes'
  if (wrong !== undefined) throw damaged(key, `its field ${wrong} is ${JSON.stringify(body[wrong]) ?? 'missing'}`)
  const document = body as unknown as T
  if (type.evenSize !== undefined && type.evenSize(document) !== isEvenSize(bytes.length)) {
    throw damaged(key, `its length of ${bytes.length} bytes does not fit its state`)
  }
  return document
}

function intactBody(bytes: Uint8Array, key: string): Record<string, unknown> {
  const text = utf8Decode(bytes).trimEnd()
  const framed = text.startsWith(PREFIX) && text.startsWith(MIDDLE, BODY_AT - MIDDLE.length) && text.endsWith('}}')
  if (!framed) throw damaged(key, 'it is not a checksummed JSON object')
  const body = text.slice(BODY_AT, -1)
  const crc = text.slice(PREFIX.length, PREFIX.length + 8)
  if (crcHex(utf8Encode(body)) !== crc) throw damaged(key, 'its checksum does not match its content')
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch (cause) {
    throw damaged(key, 'its body is not JSON', cause)
  }
}

function damaged(key: string, reason: string, cause?: unknown): Error {
  return corrupt('catalog-damaged', `catalog object ${key} is damaged: ${reason}`, { key, cause })
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
