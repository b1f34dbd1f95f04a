import { invalid } from 'siltstone/internal'

/** `siltstone://bucket/key`: in the directory of the store; `s3://bucket/key`: in a bucket of S3. */
export interface Address {
  place: 'siltstone' | 's3'
  bucket: string
  /** Not encoded; empty for the whole bucket. */
  key: string
}

/** Undefined for the path of a file. @throws SiltstoneError `invalid` (bad-address) */
export function parseAddress(text: string): Address | undefined {
  const match = /^(siltstone|s3):\/\/([^/]*)(?:\/(.*))?$/s.exec(text)
  if (match === null) return undefined
  const [, place, bucket = '', key = ''] = match
  if (bucket === '')
    throw invalid('bad-address', `${JSON.stringify(text)} names no bucket: give ${place}://bucket/key.`, {
      field: 'place',
    })
  return { place: place as Address['place'], bucket, key }
}

/** @throws SiltstoneError `invalid` (no-object) */
export function needAddress(text: string): Address {
  const address = parseAddress(text)
  if (address !== undefined) return address
  throw invalid('no-object', `${JSON.stringify(text)} is not siltstone://bucket/key or s3://bucket/key.`, {
    field: 'place',
  })
}

/** Where a record is from, as its URI says it: `siltstone://media/talk.mp4?version=…#t=12.4,19`. */
export interface RecordPlace {
  address: Address
  /** `#t=12.4,19`, `#page=3`, or empty. */
  fragment: string
}

/** @throws SiltstoneError `invalid` (no-object) */
export function parseRecordUri(uri: string): RecordPlace {
  const match = /^(siltstone|s3):\/\/([^/?#]+)\/([^?#]+)(?:\?[^#]*)?(#.*)?$/s.exec(uri)
  const [, place, bucket = '', path = '', fragment = ''] = match ?? []
  const key = decoded(path)
  if (place === undefined || key === undefined)
    throw invalid('no-object', `${JSON.stringify(uri)} is not the URI of a record of an object.`, { field: 'uri' })
  return { address: { place: place as Address['place'], bucket, key }, fragment }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
