/**
 * Uploads that clients send to the store itself, so that no byte of theirs passes through this process. Only stores that answer HTTP
 * themselves offer them.
 *
 * A URL is signed for one size, and the store refuses any other. Contents are not bound: S3 compares them only with a checksum in a header, and
 * a client that knows nothing but a URL sends none (one in the URL is signed and then ignored). So a caller that needs certain contents reads them
 * after `complete`, from which on no URL of the upload can change them.
 */
export interface DirectUploads {
  /** One object in one request; the store answers 412 if there is one already. */
  presignPut(key: string, options: DirectPutOptions): Promise<DirectPut>
  /**
   * An upload in parts, invisible until it is completed. Parts but the last have at least 5 MiB, each at most 5 GiB, and there are at most 10,000.
   * What is never completed is invisible for good, and is removed by the bucket's lifecycle rule for incomplete uploads.
   */
  begin(key: string, options: DirectPartsOptions): Promise<DirectParts>
  /**
   * Joins the parts to an object, which replaces one of this key. After it the URLs of the parts lead nowhere.
   * @param etags of all parts in their order, as the store answered them to the client
   * @returns false if there is no such upload: it was completed before, was removed, or never began
   * @throws SiltstoneError `invalid` (upload-part) if a part is missing, too small, or not that of the ETag
   */
  complete(key: string, uploadId: string, etags: readonly string[]): Promise<boolean>
  /**
   * Copies within the store, to a key that has no object.
   * @param sizeBytes of the source
   */
  copyIfAbsent(from: string, to: string, sizeBytes: number): Promise<'ok' | 'exists' | 'not-found'>
}

export interface DirectPutOptions {
  sizeBytes: number
  /** 1 s to 7 days; less if the credentials of this process expire earlier. */
  expiresInMs: number
  /** Base64 of the CRC-64/NVME of the contents: the store refuses others. */
  crc64nvme?: string
}

export interface DirectPut {
  url: string
  /** To be sent exactly so. */
  headers: Readonly<Record<string, string>>
}

export interface DirectPartsOptions {
  /** In the order of the parts. */
  partSizesBytes: readonly number[]
  /** As of `DirectPutOptions`. */
  expiresInMs: number
}

export interface DirectParts {
  uploadId: string
  /** One for each part, to which it is put. */
  urls: string[]
}
