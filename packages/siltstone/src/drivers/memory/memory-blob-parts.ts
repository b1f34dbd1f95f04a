import { concatBytes } from '../../codec/bytes.ts'
import { partsEtag } from '../../host/blob-checksum.ts'
import { chosenParts, completedSums } from '../../host/blob-completion.ts'
import type { ChosenPart, CompleteUploadOptions } from '../../ports/blob-store.ts'
import type { MemoryUpload } from './memory-blob-bucket.ts'

/** @throws SiltstoneError as `chosenParts` and `completedSums` do */
export function completedBlob(
  { info, options, parts }: MemoryUpload,
  chosen: readonly ChosenPart[],
  expected: CompleteUploadOptions,
) {
  const found = chosenParts(chosen, parts)
  const sums = found.map(({ md5, bytes, info: { checksum } }) => ({
    md5,
    sizeBytes: bytes.length,
    ...(checksum && { checksum: checksum.value }),
  }))
  return {
    ...completedSums(sums, info.checksum, expected),
    head: options.head ?? {},
    etag: partsEtag(sums),
    partCount: sums.length,
    parts: found.map(({ info: { partNumber, sizeBytes, checksum } }) => ({
      partNumber,
      sizeBytes,
      ...(checksum && { checksum }),
    })),
    bytes: concatBytes(found.map(({ bytes }) => bytes)),
  }
}
