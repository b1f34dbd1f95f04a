/** Numbers as planes: the lowest bytes of all, then the next ones. Most upper bytes are 0, so planes compress better than numbers. */

/** @param bytes numbers of `width` bytes, little-endian */
export function toPlanes(bytes: Uint8Array, width: number): Uint8Array {
  const count = bytes.length / width
  return bytes.map((_, at) => bytes[(at % count) * width + Math.floor(at / count)] as number)
}

export function fromPlanes(planes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const count = planes.length / width
  const bytes = new Uint8Array(planes.length)
  for (let at = 0; at < planes.length; at++) bytes[at] = planes[(at % width) * count + Math.floor(at / width)] as number
  return bytes
}
