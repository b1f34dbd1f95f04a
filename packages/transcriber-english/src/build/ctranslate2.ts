/**
 * Reads the weights of a Whisper model in the format of CTranslate2 (binary version 6): the version, the name of the
 * model's kind, its revision, the number of variables, and each variable as name, shape, type, size in bytes and values.
 * Numbers are little-endian; a text is its length with a final zero byte (16 bits), and its bytes.
 */
export interface Variable {
  /** Rows first. */
  shape: readonly number[]
  /** Numbers of 16 bits (IEEE 754 binary16), row-major. */
  bytes: Uint8Array
}

const VERSION = 6
/** CTranslate2's number of the type `float16`. */
const FLOAT16 = 4

/** @throws Error if the file is of another version, has numbers of another type or ends too early */
export function readCTranslate2(file: Uint8Array): Map<string, Variable> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let at = 0
  const take = (bytes: number) => (at += bytes) - bytes
  const uint32 = () => view.getUint32(take(4), true)
  const text = () => {
    const length = view.getUint16(take(2), true)
    const start = take(length)
    return new TextDecoder().decode(file.subarray(start, start + length - 1))
  }
  const version = uint32()
  if (version !== VERSION)
    throw new Error(`the weights have version ${version} of CTranslate2's format, not ${VERSION}`)
  text()
  uint32()
  const variables = new Map<string, Variable>()
  for (let count = uint32(); count > 0; count--) {
    const name = text()
    const rank = view.getUint8(take(1))
    const shape = Array.from({ length: rank }, uint32)
    const type = view.getUint8(take(1))
    const sizeBytes = uint32()
    const start = take(sizeBytes)
    if (at > file.length) throw new Error(`the weights end inside the variable ${name}`)
    if (type === FLOAT16) variables.set(name, { shape, bytes: file.subarray(start, at) })
  }
  return variables
}
