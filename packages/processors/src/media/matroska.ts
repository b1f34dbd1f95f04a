/** The title of a Matroska or WebM file (RFC 9559, in EBML, RFC 8794), which mediabunny does not read. */
const HEADER = 0x1a45dfa3
const SEGMENT = 0x18538067
const INFORMATION = 0x1549a966
const CLUSTER = 0x1f43b675
const TITLE = 0x7ba9

/** @param head the first bytes of the file; the title stands before the recording itself */
export function matroskaTitle(head: Uint8Array): string | undefined {
  if (numberAt(head, 0, true)?.value !== HEADER) return undefined
  for (let at = 0; ; ) {
    const id = numberAt(head, at, true)
    const size = id && numberAt(head, id.end, false)
    if (!id || !size || id.value === CLUSTER) return undefined
    const end = size.end + size.value
    if (id.value === TITLE && end > head.length) return undefined
    if (id.value === TITLE) return new TextDecoder().decode(head.subarray(size.end, end)).replace(/\0+$/, '')
    at = id.value === SEGMENT || id.value === INFORMATION ? size.end : end
  }
}

/** The zeros that the first byte begins with say how many bytes follow it; an id keeps the bit behind them. */
function numberAt(bytes: Uint8Array, at: number, keepsMark: boolean): { value: number; end: number } | undefined {
  const first = bytes[at]
  if (first === undefined || first === 0) return undefined
  const length = Math.clz32(first) - 23
  if (at + length > bytes.length) return undefined
  let value = keepsMark ? first : first & (0xff >> length)
  for (let k = 1; k < length; k++) value = value * 256 + (bytes[at + k] as number)
  return { value, end: at + length }
}
