import { corrupt } from '../errors.ts'
import { crcHex } from '../format/checksum.ts'
import type { ObjectRef } from '../format/manifest.ts'
import type { ObjectStore } from '../ports/object-store.ts'

/**
 * Reads a whole object and checks its size and checksum.
 * @throws SiltstoneError `corrupt` naming the object, when it is missing or not what was written
 */
export async function getVerified(store: ObjectStore, ref: ObjectRef): Promise<Uint8Array> {
  const got = await store.get(ref.key)
  if (got.status !== 'ok')
    throw corrupt('object-missing', `${ref.key} does not exist although it is referred to`, { key: ref.key })
  if (got.body.length !== ref.sizeBytes)
    throw corrupt('size-mismatch', `${ref.key} has ${got.body.length} bytes, ${ref.sizeBytes} were written`, {
      key: ref.key,
    })
  if (crcHex(got.body) !== ref.crc32)
    throw corrupt('checksum-mismatch', `${ref.key}: its checksum does not match its content`, { key: ref.key })
  return got.body
}
