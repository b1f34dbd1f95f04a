/**
 * Uploads from forms of browsers. The policy is a signed list of conditions on the fields of the form; every field needs
 * one, and `content-length-range` limits the file.
 */
import {
  ALGORITHM,
  type BlobBuckets,
  CHECKSUM_ALGORITHMS,
  type ExpectedBytes,
  hmac,
  signingKey,
} from 'siltstone/internal'
import { type AccessKey, type AccessKeys, allows } from './access-keys.ts'
import { keyOf, parseCredential, sameText } from './authenticate.ts'
import { checksumHeader } from './body.ts'
import { checksumHeaders, type S3Answer, versionHeaders } from './object-headers.ts'
import { putBlob } from './object-operations.ts'
import { postForm } from './post-form.ts'
import { signatureV2 } from './signature-v2.ts'
import { S3Error } from './s3-error.ts'
import { header, incomingBytes, type S3Request } from './s3-request.ts'
import { xmlDocument } from './xml.ts'

export interface PostParts {
  keys: AccessKeys
  buckets: BlobBuckets
  nowMs: number
}

const META = 'x-amz-meta-'
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/
/** Fields that no condition has to name. */
const FREE = ['policy', 'x-amz-signature', 'file', 'awsaccesskeyid', 'signature']
/** A checksum can only refuse a file. */
const FREE_PREFIXES = ['x-ignore-', 'x-amz-checksum-']

export async function postObject(request: S3Request, { keys, buckets, nowMs }: PostParts): Promise<S3Answer> {
  const bucket = request.bucket ?? ''
  const form = await postForm(incomingBytes(request), header(request, 'content-type') ?? '')
  const fields = new Map(form.fields)
  const accessKey = signerOf(fields, keys)
  // Variables are expanded before the policy is checked.
  const key = fieldOf(fields, 'key').replaceAll('${filename}', form.fileName.slice(lastSeparator(form.fileName) + 1))
  fields.set('key', key)
  fields.set('bucket', bucket)
  const range = checkPolicy(fieldOf(fields, 'policy'), fields, nowMs)
  if (!allows(accessKey, 'write', bucket, key)) throw new S3Error('AccessDenied', 'Access Denied')
  const metadata = [...fields]
    .filter(([name]) => name.startsWith(META))
    .map(([name, value]) => [name.slice(META.length), value])
  const contentType = fields.get('content-type') ?? form.fileType
  const result = await buckets.bucket(bucket).put(key, limited(form.file, range), {
    ...checksumOf(fields),
    head: {
      ...(contentType !== undefined && { contentType }),
      ...(metadata.length > 0 && { metadata: Object.fromEntries(metadata) as Record<string, string> }),
    },
  })
  const blob = putBlob(result, key)
  const location = `http://${header(request, 'host') ?? ''}/${bucket}/${encodeURIComponent(key)}`
  const headers = { etag: blob.etag, location, ...versionHeaders(blob), ...checksumHeaders(blob) }
  return success(fields, { bucket, key, headers, etag: blob.etag })
}

/** What the file must be. @throws S3Error InvalidRequest for several */
function checksumOf(fields: ReadonlyMap<string, string>): Pick<ExpectedBytes, 'checksum'> {
  const [algorithm, ...more] = CHECKSUM_ALGORITHMS.filter((one) => fields.has(checksumHeader(one)))
  if (more.length > 0) throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- field.')
  return algorithm === undefined
    ? {}
    : { checksum: { algorithm, expected: () => fields.get(checksumHeader(algorithm)) } }
}

/** Some browsers send the path of a file. */
function lastSeparator(fileName: string): number {
  return Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\'))
}

/** @throws S3Error AccessDenied for a form without a policy, InvalidArgument for one that lacks another field */
function fieldOf(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name)
  if (value !== undefined) return value
  if (name === 'policy') throw new S3Error('AccessDenied', 'The form is not signed: it needs the field policy.')
  throw new S3Error('InvalidArgument', `Bucket POST must contain a field named '${name}' before the file.`)
}

/** Whose signature of the policy it is. @throws S3Error InvalidAccessKeyId, SignatureDoesNotMatch, InvalidArgument */
function signerOf(fields: ReadonlyMap<string, string>, keys: AccessKeys): AccessKey {
  const policy = fieldOf(fields, 'policy')
  const v2 = fields.get('awsaccesskeyid')
  let key: AccessKey
  let expected: string
  if (v2 !== undefined) {
    key = keyOf(keys, v2)
    expected = signatureV2(key.secretAccessKey, policy)
  } else {
    if (fieldOf(fields, 'x-amz-algorithm') !== ALGORITHM)
      throw new S3Error('InvalidArgument', `x-amz-algorithm must be ${ALGORITHM}.`)
    const { accessKeyId, scope } = parseCredential(fieldOf(fields, 'x-amz-credential'))
    key = keyOf(keys, accessKeyId)
    expected = hmac(signingKey(key.secretAccessKey, scope), policy).toString('hex')
  }
  if (sameText(expected, fieldOf(fields, v2 === undefined ? 'x-amz-signature' : 'signature'))) return key
  throw new S3Error('SignatureDoesNotMatch', 'The signature does not match the policy.')
}

function success(
  fields: ReadonlyMap<string, string>,
  { bucket, key, headers, etag }: { bucket: string; key: string; headers: Record<string, string>; etag: string },
): S3Answer {
  const redirect = fields.get('success_action_redirect')
  if (redirect !== undefined && URL.canParse(redirect)) {
    const url = new URL(redirect)
    for (const [name, value] of Object.entries({ bucket, key, etag })) url.searchParams.set(name, value)
    return { status: 303, headers: { ...headers, location: url.href } }
  }
  const status = Number(fields.get('success_action_status'))
  if (status !== 201) return { status: status === 200 ? 200 : 204, headers }
  const body = xmlDocument(
    'PostResponse',
    { Location: headers['location'], Bucket: bucket, Key: key, ETag: etag },
    null,
  )
  return { status: 201, headers: { ...headers, 'content-type': 'application/xml' }, body }
}

interface SizeRange {
  minBytes: number
  maxBytes: number
}

/** @throws S3Error AccessDenied, InvalidPolicyDocument */
function checkPolicy(text: string, fields: ReadonlyMap<string, string>, nowMs: number): SizeRange | undefined {
  const policy = parsePolicy(text)
  const expiresMs = ISO_TIME.test(policy.expiration) ? Date.parse(policy.expiration) : Number.NaN
  if (Number.isNaN(expiresMs)) throw new S3Error('InvalidPolicyDocument', 'The policy has no valid expiration.')
  if (nowMs > expiresMs) throw new S3Error('AccessDenied', 'Invalid according to Policy: Policy expired.')
  const named = new Set<string>()
  let range: SizeRange | undefined
  for (const condition of policy.conditions) {
    if (Array.isArray(condition) && condition[0] === 'content-length-range') {
      range = { minBytes: Number(condition[1]), maxBytes: Number(condition[2]) }
      if (!(range.minBytes >= 0 && range.maxBytes >= range.minBytes))
        throw new S3Error('InvalidPolicyDocument', 'content-length-range needs two numbers of bytes.')
      continue
    }
    const [kind, name, value] = matchOf(condition)
    named.add(name)
    const given = fields.get(name) ?? ''
    // Several content types may be given with commas.
    const holds =
      kind === 'eq'
        ? given === value
        : given.split(name === 'content-type' ? ',' : '\0').every((one) => one.startsWith(value))
    if (!holds)
      throw new S3Error(
        'AccessDenied',
        `Invalid according to Policy: Policy Condition failed: ${JSON.stringify(condition)}`,
      )
  }
  const free = [...fields.keys()].find(
    (name) =>
      !named.has(name) &&
      !FREE.includes(name) &&
      name !== 'bucket' &&
      !FREE_PREFIXES.some((one) => name.startsWith(one)),
  )
  if (free !== undefined) throw new S3Error('AccessDenied', `Invalid according to Policy: Extra input fields: ${free}`)
  if (!named.has('bucket'))
    throw new S3Error('AccessDenied', 'Invalid according to Policy: it does not name the bucket.')
  return range
}

function matchOf(condition: unknown): ['eq' | 'starts-with', string, string] {
  if (Array.isArray(condition)) {
    const [kind, name, value] = condition as unknown[]
    const how = typeof kind === 'string' ? kind.toLowerCase() : ''
    if (
      (how === 'eq' || how === 'starts-with') &&
      typeof name === 'string' &&
      name.startsWith('$') &&
      typeof value === 'string'
    )
      return [how, name.slice(1).toLowerCase(), value]
  } else if (typeof condition === 'object' && condition !== null) {
    const [entry, ...more] = Object.entries(condition)
    if (entry !== undefined && more.length === 0 && typeof entry[1] === 'string')
      return ['eq', entry[0].toLowerCase(), entry[1]]
  }
  throw new S3Error('InvalidPolicyDocument', `Invalid Policy: Invalid condition ${JSON.stringify(condition)}.`)
}

function parsePolicy(text: string): { expiration: string; conditions: unknown[] } {
  try {
    const { expiration, conditions } = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Record<
      string,
      unknown
    >
    if (typeof expiration === 'string' && Array.isArray(conditions)) return { expiration, conditions }
  } catch (cause) {
    throw new S3Error('InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.', { cause })
  }
  throw new S3Error('InvalidPolicyDocument', 'Invalid Policy: it needs expiration and conditions.')
}

async function* limited(file: AsyncIterable<Uint8Array>, range: SizeRange | undefined): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of file) {
    size += chunk.length
    if (range !== undefined && size > range.maxBytes)
      throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
        details: { MaxSizeAllowed: String(range.maxBytes) },
      })
    yield chunk
  }
  if (range !== undefined && size < range.minBytes)
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      details: { MinSizeAllowed: String(range.minBytes) },
    })
}
