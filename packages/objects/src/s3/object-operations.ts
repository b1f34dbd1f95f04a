/** Operations on one object. */
import {
  type BlobInfo,
  type BlobSource,
  compareKeys,
  type GetBlobResult,
  MAX_PARTS,
  MAX_PUT_BYTES,
  type PutBlobResult,
} from 'siltstone/internal'
import { allows } from './access-keys.ts'
import { algorithmNamed, checksumHeader } from './body.ts'
import type { S3Call } from './call.ts'
import {
  checksumHeaders,
  headOf,
  httpDate,
  objectHeaders,
  quotedEtag,
  rangeOf,
  readConditionOf,
  refuseUnsupported,
  type S3Answer,
  tagsOf,
  versionHeaders,
  writeConditionOf,
} from './object-headers.ts'
import { S3Error, s3Error as toS3Error } from './s3-error.ts'
import { header, parameter } from './s3-request.ts'
import { childrenOf, childText, type XmlElement, type XmlValue, xmlDocument } from './xml.ts'

/** @throws S3Error PreconditionFailed, NoSuchKey */
export function putBlob(result: PutBlobResult, key: string) {
  if (result.status === 'ok') return result.blob
  if (result.status === 'not-found') throw noSuchKey(key)
  throw preconditionFailed(result.status === 'exists' ? 'If-None-Match' : 'If-Match')
}

export const noSuchKey = (key: string, headers: Record<string, string> = {}): S3Error =>
  new S3Error('NoSuchKey', 'The specified key does not exist.', { details: { Key: key }, headers })

export function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    details: { Condition: condition },
  })
}

const versionIdOf = ({ request }: S3Call) => {
  const versionId = parameter(request, 'versionId')
  return versionId === undefined || versionId === '' ? {} : { versionId }
}

export async function putObject(call: S3Call): Promise<S3Answer> {
  const { request, store, key } = call
  refuseUnsupported(request)
  const { bytes, expected } = call.body()
  if ((expected.sizeBytes ?? 0) > MAX_PUT_BYTES)
    throw new S3Error('EntityTooLarge', `One request takes at most ${MAX_PUT_BYTES} bytes: upload in parts.`)
  const tags = tagsOf(request)
  const result = await store.put(key, bytes, {
    ...expected,
    ...writeConditionOf(request),
    head: headOf(request),
    ...(tags && { tags }),
  })
  const blob = putBlob(result, key)
  return { status: 200, headers: { etag: blob.etag, ...versionHeaders(blob), ...checksumHeaders(blob) } }
}

export async function getObject(call: S3Call): Promise<S3Answer> {
  const { request, store, key } = call
  const partNumber = partNumberOf(call)
  const range = partNumber === undefined ? await usableRange(call) : undefined
  const got = await store.get(key, {
    ...versionIdOf(call),
    ...readConditionOf(request),
    ...(range && { range }),
    ...(partNumber !== undefined && { partNumber }),
    // The face sends a chunk before it asks for the next.
    reusesChunks: true,
  })
  if (got.status !== 'ok') return missing(call, got)
  const { blob, start, end } = got
  const headers = { ...objectHeaders(request, blob), 'content-length': String(end - start) }
  // Of an empty object, part 1 is no range.
  const isWhole = range === undefined && (partNumber === undefined || blob.sizeBytes === 0)
  if (isWhole) return { status: 200, headers: { ...headers, ...askedChecksum(call, blob) }, body: got.body }
  const { partCount } = blob
  const count: Record<string, string> =
    partNumber === undefined || partCount === undefined ? {} : { 'x-amz-mp-parts-count': String(partCount) }
  const contentRange = `bytes ${start}-${end - 1}/${blob.sizeBytes}`
  const sum = await partChecksum(call, blob, partNumber)
  return { status: 206, headers: { ...headers, ...count, ...sum, 'content-range': contentRange }, body: got.body }
}

/** Not of a range: clients compare it with the bytes that come. */
function askedChecksum({ request }: S3Call, blob: BlobInfo): Record<string, string> {
  return header(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' ? checksumHeaders(blob) : {}
}

/** Of the bytes of a part. */
async function partChecksum(
  call: S3Call,
  blob: BlobInfo,
  partNumber: number | undefined,
): Promise<Record<string, string>> {
  const asked = askedChecksum(call, blob)
  if (partNumber === undefined || blob.partCount === undefined || Object.keys(asked).length === 0)
    return partNumber === undefined ? {} : asked
  const version = blob.versionId === undefined ? {} : { versionId: blob.versionId }
  const { parts } = await call.store.parts(call.key, { ...version, after: partNumber - 1, limit: 1 })
  const part = parts.find((one) => one.partNumber === partNumber)
  if (part?.checksum === undefined || blob.checksum === undefined) return {}
  const { algorithm, value } = part.checksum
  return { [checksumHeader(algorithm)]: value, 'x-amz-checksum-type': blob.checksum.type }
}

export async function headObject(call: S3Call): Promise<S3Answer> {
  // Nothing is read until the body is taken, so HEAD is GET without it.
  const { body: _, ...answer } = await getObject(call)
  return answer
}

/** @throws S3Error InvalidArgument, InvalidRequest */
function partNumberOf({ request }: S3Call): number | undefined {
  const text = parameter(request, 'partNumber')
  if (text === undefined) return undefined
  if (header(request, 'range') !== undefined)
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter')
  const partNumber = Number(text)
  if (Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= MAX_PARTS) return partNumber
  throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`)
}

/** `If-Range`: the range counts only for this version. */
async function usableRange(call: S3Call) {
  const { request, store, key } = call
  const range = rangeOf(header(request, 'range'))
  const ifRange = header(request, 'if-range')
  if (range === undefined || ifRange === undefined) return range
  const head = await store.head(key, versionIdOf(call))
  return head.status === 'ok' && head.blob.etag === ifRange ? range : undefined
}

function missing(call: S3Call, got: Exclude<GetBlobResult, { status: 'ok' }>): S3Answer {
  const { request, key } = call
  switch (got.status) {
    case 'not-modified':
      return {
        status: 304,
        headers: {
          etag: got.blob.etag,
          'last-modified': httpDate(got.blob.lastModifiedMs),
          ...versionHeaders(got.blob),
        },
      }
    case 'mismatch':
      throw preconditionFailed('If-Match')
    case 'bad-range':
      if (parameter(request, 'partNumber') !== undefined)
        throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable')
      throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
        details: { ActualObjectSize: String(got.sizeBytes) },
        headers: { 'content-range': `bytes */${got.sizeBytes}` },
      })
    case 'delete-marker': {
      const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': got.versionId }
      if (parameter(request, 'versionId') === undefined) throw noSuchKey(key, headers)
      throw new S3Error('MethodNotAllowed', 'The version is a delete marker.', { headers })
    }
    case 'not-found':
      if (parameter(request, 'versionId') === undefined) throw noSuchKey(key)
      throw new S3Error('NoSuchVersion', 'The specified version does not exist.', { details: { Key: key } })
  }
}

/** Of directory buckets. Ignored, they would delete what should stay. */
const REFUSED_CONDITIONS = ['x-amz-if-match-last-modified-time', 'x-amz-if-match-size']

export async function deleteObject(call: S3Call): Promise<S3Answer> {
  const { request, store, key } = call
  const refused = REFUSED_CONDITIONS.find((name) => header(request, name) !== undefined)
  if (refused !== undefined)
    throw new S3Error('NotImplemented', `The header ${refused} is not supported: use If-Match.`)
  const { ifMatch } = writeConditionOf(request)
  const result = await store.delete(key, { ...versionIdOf(call), ...(ifMatch !== undefined && { ifMatch }) })
  if (result.status === 'mismatch') throw preconditionFailed('If-Match')
  const { versionId, isDeleteMarker } = result
  return {
    status: 204,
    headers: {
      ...(versionId !== undefined && { 'x-amz-version-id': versionId }),
      ...(isDeleteMarker === true && { 'x-amz-delete-marker': 'true' }),
    },
  }
}

const MAX_DELETES = 1_000

export async function deleteObjects(call: S3Call): Promise<S3Answer> {
  const { store, auth, bucket } = call
  const body = await call.xml('Delete')
  const objects = body === undefined ? [] : childrenOf(body, 'Object')
  if (body === undefined || objects.length === 0 || objects.length > MAX_DELETES)
    throw new S3Error('MalformedXML', `The body names ${objects.length} objects: give 1 to ${MAX_DELETES}.`)
  const isQuiet = childText(body, 'Quiet') === 'true'
  const one = async (element: XmlElement) => {
    const key = childText(element, 'Key') ?? ''
    const versionId = childText(element, 'VersionId')
    const etag = childText(element, 'ETag')
    try {
      if (!allows(auth.key, 'delete', bucket, key)) throw new S3Error('AccessDenied', 'Access Denied')
      for (const name of ['LastModifiedTime', 'Size'])
        if (childText(element, name) !== undefined)
          throw new S3Error('NotImplemented', `The condition ${name} is not supported: use ETag.`)
      const result = await store.delete(key, {
        ...(versionId !== undefined && versionId !== '' && { versionId }),
        ...(etag !== undefined && { ifMatch: quotedEtag(etag) }),
      })
      if (result.status === 'mismatch') throw preconditionFailed('ETag')
      const gone = result.versionId
      const marker = result.isDeleteMarker === true ? { DeleteMarker: true, DeleteMarkerVersionId: gone } : {}
      return { Deleted: { Key: key, ...(versionId !== undefined && { VersionId: versionId }), ...marker } }
    } catch (error) {
      const known = s3ErrorOf(error)
      return { Error: { Key: key, VersionId: versionId, Code: known.code, Message: known.message } }
    }
  }
  const results = await Promise.all(objects.map(one))
  const deleted = results.flatMap(({ Deleted }) => (Deleted === undefined || isQuiet ? [] : [Deleted]))
  const errors = results.flatMap(({ Error }) => (Error === undefined ? [] : [Error]))
  return xmlAnswer(xmlDocument('DeleteResult', { Deleted: deleted, Error: errors }))
}

export const xmlAnswer = (body: string, headers: Record<string, string> = {}): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml', ...headers },
  body,
})

/** `x-amz-copy-source`: `/bucket/key?versionId=…`, percent-encoded. @throws S3Error InvalidArgument, AccessDenied */
export function copySource(call: S3Call): BlobSource & { bucket: string } {
  const text = header(call.request, 'x-amz-copy-source') ?? ''
  const [place = '', query = ''] = text.split('?versionId=')
  let path: string
  try {
    path = decodeURIComponent(place).replace(/^\//, '')
  } catch (cause) {
    throw new S3Error('InvalidArgument', 'x-amz-copy-source is not percent-encoded UTF-8.', { cause })
  }
  const slash = path.indexOf('/')
  if (slash < 1 || slash === path.length - 1)
    throw new S3Error('InvalidArgument', 'x-amz-copy-source is not of the form bucket/key.')
  const bucket = path.slice(0, slash)
  const key = path.slice(slash + 1)
  if (!allows(call.auth.key, 'read', bucket, key))
    throw new S3Error('AccessDenied', 'The access key may not read the source of the copy.')
  const condition = readConditionOf(call.request, 'x-amz-copy-source-')
  return { bucket, key, ...(query !== '' && { versionId: query }), ...condition }
}

export async function copyObject(call: S3Call): Promise<S3Answer> {
  const { request, store, key, bucket } = call
  refuseUnsupported(request)
  const source = copySource(call)
  const replaces = directive(call, 'x-amz-metadata-directive')
  const replacesTags = directive(call, 'x-amz-tagging-directive')
  if (source.bucket === bucket && source.key === key && source.versionId === undefined && !replaces && !replacesTags)
    throw new S3Error(
      'InvalidRequest',
      'A copy of an object to itself must change something: set x-amz-metadata-directive to REPLACE.',
    )
  const algorithm = algorithmNamed(header(request, 'x-amz-checksum-algorithm'))
  const result = await store.copy(source, key, {
    ...writeConditionOf(request),
    ...(replaces && { head: headOf(request) }),
    ...(replacesTags && { tags: tagsOf(request) ?? {} }),
    ...(algorithm && { checksum: algorithm }),
  })
  if (result.status === 'source-not-found') throw noSuchKey(source.key)
  if (result.status === 'source-mismatch') throw preconditionFailed('x-amz-copy-source-If-Match')
  const blob = putBlob(result, key)
  const { checksum } = blob
  return xmlAnswer(
    xmlDocument('CopyObjectResult', {
      ETag: blob.etag,
      LastModified: new Date(blob.lastModifiedMs).toISOString(),
      ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }),
    }),
    {
      ...versionHeaders(blob),
      ...(source.versionId !== undefined && { 'x-amz-copy-source-version-id': source.versionId }),
    },
  )
}

function directive({ request }: S3Call, name: string): boolean {
  const value = header(request, name) ?? 'COPY'
  if (value === 'COPY' || value === 'REPLACE') return value === 'REPLACE'
  throw new S3Error('InvalidArgument', `${name} is COPY or REPLACE, not ${value}.`)
}

export async function getObjectAttributes(call: S3Call): Promise<S3Answer> {
  const { store, key } = call
  const found = await store.head(key, versionIdOf(call))
  if (found.status !== 'ok') return missing(call, found)
  const { blob } = found
  const asked = askedAttributes(call)
  const { checksum, partCount } = blob
  const parts = asked.has('ObjectParts') && partCount !== undefined && (await objectParts(call, partCount))
  return xmlAnswer(
    xmlDocument('GetObjectAttributesResponse', {
      ...(asked.has('ETag') && { ETag: blob.etag.replaceAll('"', '') }),
      ...(asked.has('Checksum') &&
        checksum && { Checksum: { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type } }),
      ...(parts && { ObjectParts: parts }),
      ...(asked.has('StorageClass') && { StorageClass: 'STANDARD' }),
      ...(asked.has('ObjectSize') && { ObjectSize: blob.sizeBytes }),
    }),
    { 'last-modified': httpDate(blob.lastModifiedMs), ...versionHeaders(blob) },
  )
}

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']

/** @throws S3Error InvalidArgument */
function askedAttributes({ request }: S3Call): ReadonlySet<string> {
  const asked = (header(request, 'x-amz-object-attributes') ?? '').split(',').map((one) => one.trim())
  if (!asked.every((one) => ATTRIBUTES.includes(one)))
    throw new S3Error('InvalidArgument', `x-amz-object-attributes names some of ${ATTRIBUTES.join(', ')}.`)
  return new Set(asked)
}

async function objectParts(call: S3Call, partCount: number): Promise<XmlValue> {
  const { request, store, key } = call
  const number = (name: string, least: number) => {
    const text = header(request, name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= MAX_PARTS) return value
    throw new S3Error('InvalidArgument', `${name} is ${text}, not a number from ${least} to ${MAX_PARTS}.`)
  }
  const limit = Math.min(number('x-amz-max-parts', 1) ?? 1_000, 1_000)
  const after = number('x-amz-part-number-marker', 0) ?? 0
  const { parts, next } = await store.parts(key, { ...versionIdOf(call), limit, after })
  return {
    PartsCount: partCount,
    PartNumberMarker: after,
    NextPartNumberMarker: next ?? parts.at(-1)?.partNumber ?? after,
    MaxParts: limit,
    IsTruncated: next !== undefined,
    Part: parts.map(({ partNumber, sizeBytes, checksum }) => ({
      PartNumber: partNumber,
      Size: sizeBytes,
      ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value }),
    })),
  }
}

export async function getObjectTagging(call: S3Call): Promise<S3Answer> {
  const { versionId } = { versionId: undefined, ...versionIdOf(call) }
  const tags = await call.store.tags(call.key, versionId)
  const sorted = Object.entries(tags).toSorted(([a], [b]) => compareKeys(a, b))
  return xmlAnswer(xmlDocument('Tagging', { TagSet: { Tag: sorted.map(([Key, Value]) => ({ Key, Value })) } }))
}

export async function putObjectTagging(call: S3Call): Promise<S3Answer> {
  const { versionId } = { versionId: undefined, ...versionIdOf(call) }
  await call.store.setTags(call.key, tagSet(await call.xml('Tagging')), versionId)
  return { status: 200 }
}

export async function deleteObjectTagging(call: S3Call): Promise<S3Answer> {
  const { versionId } = { versionId: undefined, ...versionIdOf(call) }
  await call.store.setTags(call.key, {}, versionId)
  return { status: 204 }
}

/** @throws S3Error MalformedXML, InvalidTag */
export function tagSet(body: XmlElement | undefined): Record<string, string> {
  const set = body && childrenOf(body, 'TagSet')[0]
  if (set === undefined) throw new S3Error('MalformedXML', 'The body has no TagSet.')
  const tags: Record<string, string> = {}
  for (const tag of childrenOf(set, 'Tag')) {
    const name = childText(tag, 'Key') ?? ''
    if (name in tags) throw new S3Error('InvalidTag', `The tag ${name} is there twice.`)
    tags[name] = childText(tag, 'Value') ?? ''
  }
  return tags
}

function s3ErrorOf(error: unknown): { code: string; message: string } {
  const known = toS3Error(error)
  if (known === undefined) throw error
  return known
}
