/** Errors in the form of S3. */
import { isSiltstoneError, type SiltstoneError } from 'siltstone/internal'

/** S3's error codes that this face answers, with their status. */
const STATUS = {
  AccessDenied: 403,
  AccessForbidden: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartNumber: 416,
  InvalidPartOrder: 400,
  InvalidPolicyDocument: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedPOSTRequest: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
} as const

export type S3ErrorCode = keyof typeof STATUS

export class S3Error extends Error {
  readonly code: S3ErrorCode
  readonly status: number
  /** Further elements of the answer. */
  readonly details: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: S3ErrorCode,
    message: string,
    more: { details?: Record<string, string>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'S3Error'
    this.code = code
    this.status = STATUS[code]
    this.details = more.details ?? {}
    this.headers = more.headers ?? {}
  }
}

/** The code of S3 for a code of the product. */
const CODES: Readonly<Record<string, S3ErrorCode>> = {
  'access-denied': 'AccessDenied',
  'bad-bucket-name': 'InvalidBucketName',
  'bad-checksum-type': 'InvalidRequest',
  'bad-digest': 'BadDigest',
  'bad-key': 'InvalidURI',
  'bad-metadata': 'InvalidArgument',
  'bad-part': 'InvalidPart',
  'bad-part-order': 'InvalidPartOrder',
  'bad-sha256': 'XAmzContentSHA256Mismatch',
  'bad-tags': 'InvalidTag',
  'bucket-configured': 'AccessDenied',
  'bucket-exists': 'BucketAlreadyExists',
  'bucket-missing': 'NoSuchBucket',
  'bucket-not-empty': 'BucketNotEmpty',
  'bucket-of-store': 'BucketAlreadyExists',
  'incomplete-body': 'IncompleteBody',
  'key-too-long': 'KeyTooLongError',
  'metadata-too-large': 'MetadataTooLarge',
  'no-such-blob': 'NoSuchKey',
  'no-such-bucket': 'NoSuchBucket',
  'no-such-upload': 'NoSuchUpload',
  'not-implemented': 'NotImplemented',
  'part-too-small': 'EntityTooSmall',
  throttled: 'SlowDown',
  'too-large': 'EntityTooLarge',
}

/** Undefined for a failure of the program itself. */
export function s3Error(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return error
  if (!isSiltstoneError(error)) return undefined
  return new S3Error(codeOf(error), error.message, { cause: error })
}

function codeOf({ code, kind }: SiltstoneError): S3ErrorCode {
  const known = CODES[code]
  if (known !== undefined) return known
  if (kind === 'invalid') return 'InvalidArgument'
  return kind === 'unavailable' || kind === 'unknown' ? 'ServiceUnavailable' : 'InternalError'
}
