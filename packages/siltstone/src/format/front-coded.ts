/**
 * A sorted list of texts of at most 255 bytes: for each, the number of bytes that it shares with the one before, the
 * number of further bytes, and these. Bytes are UTF-8, and the order is theirs.
 */
import { utf8Decode, utf8Encode } from '#codec'
import { concatBytes } from '../codec/bytes.ts'

const MOST_BYTES = 255

/** @param sorted in byte order, without duplicates @throws RangeError for a text that is too long */
export function encodeFrontCoded(sorted: readonly string[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let before = new Uint8Array(0)
  for (const text of sorted) {
    const bytes = Uint8Array.from(utf8Encode(text))
    if (bytes.length > MOST_BYTES) throw new RangeError(`${text} has more than ${MOST_BYTES} bytes`)
    let shared = 0
    while (shared < before.length && before[shared] === bytes[shared]) shared++
    pieces.push(Uint8Array.of(shared, bytes.length - shared), bytes.subarray(shared))
    before = bytes
  }
  return concatBytes(pieces)
}

/** @returns undefined when the bytes are no such list of `count` texts */
export function decodeFrontCoded(bytes: Uint8Array, count: number): string[] | undefined {
  const texts: string[] = []
  const text = new Uint8Array(MOST_BYTES)
  let length = 0
  let at = 0
  while (at < bytes.length) {
    const [shared = 0, more = 0] = bytes.subarray(at, at + 2)
    if (at + 2 + more > bytes.length || shared > length || shared + more > MOST_BYTES) return undefined
    text.set(bytes.subarray(at + 2, at + 2 + more), shared)
    length = shared + more
    at += 2 + more
    texts.push(utf8Decode(text, 0, length))
  }
  return texts.length === count ? texts : undefined
}
