/** Encodings of text: byte-order marks, UTF-8, UTF-16 without a mark, what was declared, and Windows-1252 as the last resort. */

export interface SniffedText {
  /** A name that `TextDecoder` knows. */
  encoding: string
  /** Bytes of the byte-order mark. */
  markBytes: number
}

/**
 * The encoding of a text, from its first bytes; undefined if they are not text.
 * @param isWhole whether `head` is the whole text; otherwise its last character may be cut
 * @param declared an encoding named by a header or a `<meta>`, used where the bytes do not tell
 */
export function sniffText(head: Uint8Array, isWhole: boolean, declared?: string): SniffedText | undefined {
  const [a, b, c] = head
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', markBytes: 3 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', markBytes: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', markBytes: 2 }
  const wide = wideEncoding(head)
  if (wide !== undefined) return { encoding: wide, markBytes: 0 }
  if (controlShare(head) > 0.01) return undefined
  if (isUtf8(head, isWhole)) return { encoding: 'utf-8', markBytes: 0 }
  return { encoding: knownEncoding(declared) ?? 'windows-1252', markBytes: 0 }
}

/** @throws TypeError if the bytes are not in this encoding */
export function decodeText(bytes: Uint8Array, { encoding, markBytes }: SniffedText): string {
  const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes.subarray(markBytes))
  return text.replaceAll(/\r\n?/g, '\n')
}

export function knownEncoding(name: string | undefined): string | undefined {
  if (name === undefined || name === '') return undefined
  try {
    return new TextDecoder(name.trim()).encoding
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** The `charset` of a content type. */
export const charsetOf = (type: string): string | undefined => /charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1]

function isUtf8(head: Uint8Array, isWhole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: !isWhole })
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

/** UTF-16 without a mark: in texts of most languages every other byte is often zero, and the others never. */
function wideEncoding(head: Uint8Array): string | undefined {
  if (head.length < 4) return undefined
  const zeros = [0, 0]
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[i % 2] = (zeros[i % 2] as number) + 1
  const [even = 0, odd = 0] = zeros
  const half = head.length / 2
  if (odd > half * 0.4 && even === 0) return 'utf-16le'
  if (even > half * 0.4 && odd === 0) return 'utf-16be'
  return undefined
}

/** The share of bytes that no text has. One of them in a large text is forgiven. */
function controlShare(head: Uint8Array): number {
  let count = 0
  for (const byte of head)
    if (byte === 0 || byte === 0x7f || (byte < 32 && !(byte >= 8 && byte <= 13) && byte !== 27)) count++
  return head.length === 0 ? 0 : count / head.length
}
