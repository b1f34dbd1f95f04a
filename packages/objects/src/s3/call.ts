/** What the operations of the face are given. */
import type { BlobBuckets, BlobStore, Clock } from 'siltstone/internal'
import type { Authenticated } from './authenticate.ts'
import { bodyText, checkedBytes, type ReceivedBody, requestBody } from './body.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import { parseXml, type XmlElement } from './xml.ts'

const MAX_XML_BYTES = 2 * 1024 * 1024

export class S3Call {
  readonly request: S3Request
  readonly auth: Authenticated
  readonly buckets: BlobBuckets
  readonly clock: Clock

  constructor(request: S3Request, auth: Authenticated, buckets: BlobBuckets, clock: Clock) {
    this.request = request
    this.auth = auth
    this.buckets = buckets
    this.clock = clock
  }

  /** The bucket of the request. The route of an operation on a bucket has made sure that there is one. */
  get bucket(): string {
    return this.request.bucket ?? ''
  }

  get key(): string {
    return this.request.key ?? ''
  }

  get store(): BlobStore {
    return this.buckets.bucket(this.bucket)
  }

  body(): ReceivedBody {
    return requestBody(this.request, this.auth)
  }

  /**
   * The body as XML; undefined if it is empty.
   * @param checksumOf `object`: a checksum in a header is not that of this body
   * @throws S3Error MalformedXML, BadDigest
   */
  async xml(root: string, checksumOf: 'body' | 'object' = 'body'): Promise<XmlElement | undefined> {
    const { bytes, expected: all } = this.body()
    const { checksum: _, ...others } = all
    const expected = checksumOf === 'body' ? all : others
    const text = await bodyText(checkedBytes(bytes, expected), MAX_XML_BYTES)
    if (text.trim() === '') return undefined
    const found = parseXml(text)
    if (found.name === root) return found
    throw new S3Error('MalformedXML', `The body is <${found.name}>, not <${root}>.`)
  }
}
