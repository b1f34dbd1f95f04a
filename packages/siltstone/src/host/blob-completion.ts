/** What completes an upload in parts: the chosen parts against those that there are, and the sums of the whole. */
import { invalid } from '../errors.ts'
import { MAX_BLOB_BYTES, MIN_PART_BYTES } from '../ports/blob-rules.ts'
import type { BlobChecksum, ChosenPart, CompleteUploadOptions, PartInfo, UploadInfo } from '../ports/blob-store.ts'
import { partsChecksum, type PartSums } from './blob-checksum.ts'

/** Also of the ETag that a client wrote without quotes. */
const sameEtag = (a: string, b: string): boolean => a.replaceAll('"', '') === b.replaceAll('"', '')

/**
 * The parts of a completed object, in order.
 * @throws SiltstoneError `invalid` (bad-part, bad-part-order, part-too-small)
 */
export function chosenParts<T extends { info: PartInfo }>(
  chosen: readonly ChosenPart[],
  parts: ReadonlyMap<number, T>,
): T[] {
  if (chosen.length === 0) throw invalid('bad-part', 'An upload is completed with at least one part.')
  for (const [at, { partNumber }] of chosen.entries()) {
    const before = chosen[at - 1]?.partNumber ?? 0
    if (partNumber <= before)
      throw invalid(
        'bad-part-order',
        `Part ${partNumber} comes after part ${before}: give the numbers in ascending order.`,
      )
  }
  return chosen.map(({ partNumber, etag, checksum: chosenSum }, at) => {
    const expected = typeof chosenSum === 'string' ? chosenSum : chosenSum?.value
    const part = parts.get(partNumber)
    if (part === undefined || !sameEtag(part.info.etag, etag))
      throw invalid('bad-part', `There is no part ${partNumber} with the ETag ${etag}: upload it again.`)
    const { checksum, sizeBytes } = part.info
    if (expected !== undefined && expected !== checksum?.value)
      throw invalid('bad-part', `Part ${partNumber} has the checksum ${checksum?.value ?? '(none)'}, not ${expected}.`)
    if (at < chosen.length - 1 && sizeBytes < MIN_PART_BYTES)
      throw invalid(
        'part-too-small',
        `Part ${partNumber} has ${sizeBytes} bytes: every part but the last has at least ${MIN_PART_BYTES}.`,
      )
    return part
  })
}

/**
 * Size and checksum of a completed object.
 * @throws SiltstoneError `invalid` (too-large, incomplete-body, bad-digest)
 */
export function completedSums(
  parts: readonly PartSums[],
  checksum: UploadInfo['checksum'],
  expected: Pick<CompleteUploadOptions, 'checksum' | 'sizeBytes'>,
): { sizeBytes: number; checksum?: BlobChecksum } {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  if (sizeBytes > MAX_BLOB_BYTES)
    throw invalid('too-large', `The object would have ${sizeBytes} bytes: at most ${MAX_BLOB_BYTES} are allowed.`)
  if (expected.sizeBytes !== undefined && expected.sizeBytes !== sizeBytes)
    throw invalid('incomplete-body', `The parts have ${sizeBytes} bytes, not ${expected.sizeBytes} as expected.`)
  const value = checksum && partsChecksum(checksum.algorithm, checksum.type, parts)
  if (expected.checksum !== undefined && value !== undefined && expected.checksum !== value)
    throw invalid('bad-digest', `The checksum of the object is ${value}, not ${expected.checksum} as expected.`)
  return { sizeBytes, ...(checksum && value !== undefined && { checksum: { ...checksum, value } }) }
}
