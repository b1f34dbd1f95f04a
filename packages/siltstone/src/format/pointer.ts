/**
 * A collection's pointer, the only object that is ever overwritten: two lines, the key of the current manifest and
 * `crc32:` with the checksum of that line (without its line break).
 */
import { corrupt } from '../errors.ts'
import { crcHex } from './checksum.ts'
import { parseKey } from './keys.ts'

export function encodePointer(manifestKey: string): Uint8Array {
  return Buffer.from(`${manifestKey}\ncrc32:${crcHex(Buffer.from(manifestKey, 'utf8'))}\n`, 'utf8')
}

/**
 * The manifest's key.
 * @throws SiltstoneError `corrupt` (`pointer-damaged`), also when it names another collection's manifest
 */
export function decodePointer(bytes: Uint8Array, key: string): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const manifestKey = text.slice(0, text.indexOf('\n'))
  const manifest = parseKey(manifestKey)
  const pointer = parseKey(key)
  const intact = Buffer.compare(encodePointer(manifestKey), bytes) === 0
  if (!intact || manifest?.kind !== 'manifest' || (pointer?.kind === 'pointer' && pointer.path !== manifest.path)) {
    throw corrupt(
      'pointer-damaged',
      `pointer ${key} does not name a manifest of its collection: ${JSON.stringify(text.slice(0, 200))}`,
      { key },
    )
  }
  return manifestKey
}
