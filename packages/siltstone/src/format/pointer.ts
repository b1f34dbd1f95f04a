/**
 * A collection's pointer, the only object that is ever overwritten: two lines, the key of the current manifest and
 * `crc32:` with the checksum of that line (without its line break).
 */
import { equalBytes, utf8Decode, utf8Encode } from '#codec'
import { corrupt } from '../errors.ts'
import { crcHex } from './checksum.ts'
import { parseKey } from './keys.ts'

export function encodePointer(manifestKey: string): Uint8Array {
  return utf8Encode(`${manifestKey}\ncrc32:${crcHex(utf8Encode(manifestKey))}\n`)
}

/**
 * The manifest's key.
 * @throws SiltstoneError `corrupt` (`pointer-damaged`), also when it names another collection's manifest
 */
export function decodePointer(bytes: Uint8Array, key: string): string {
  const text = utf8Decode(bytes)
  const manifestKey = text.slice(0, text.indexOf('\n'))
  const manifest = parseKey(manifestKey)
  const pointer = parseKey(key)
  const intact = equalBytes(encodePointer(manifestKey), bytes)
  if (!intact || manifest?.kind !== 'manifest' || (pointer?.kind === 'pointer' && pointer.path !== manifest.path)) {
    throw corrupt(
      'pointer-damaged',
      `pointer ${key} does not name a manifest of its collection: ${JSON.stringify(text.slice(0, 200))}`,
      { key },
    )
  }
  return manifestKey
}
