import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { invalid } from '../../errors.ts'
import { listRequest } from '../../ports/list-position.ts'
import { isUsableKey } from '../../ports/object-key.ts'
import type { ListOptions, ListPage } from '../../ports/object-store.ts'
import { type S3Bucket, s3Url } from './s3-bucket.ts'

/**
 * One page. The continuation is the server's own. Keys are requested in percent-encoding: otherwise a client with the
 * right to put objects into an inbox could use a name that XML cannot express, and no listing that contains it could be
 * read. Keys that this store cannot have created (placeholders of consoles, a driver's own folder) are left out, so a
 * page may be short.
 */
export async function listObjects(bucket: S3Bucket, prefix: string, options: ListOptions = {}): Promise<ListPage> {
  const { continuation, startAfter = '', ...rest } = options
  const { limit, delimited } = listRequest(prefix, rest)
  const root = bucket.place.prefix
  const input = {
    Bucket: bucket.place.bucket,
    Prefix: root + prefix,
    MaxKeys: limit,
    EncodingType: 'url' as const,
    ...(delimited && { Delimiter: '/' }),
    ...(continuation !== undefined && { ContinuationToken: continuation }),
    ...(continuation === undefined && startAfter !== '' && { StartAfter: root + startAfter }),
  }
  const answer = await bucket.requests.call({ doing: `list ${s3Url(bucket, prefix)}` }, ({ signal }) =>
    bucket.client.send(new ListObjectsV2Command(input), { abortSignal: signal }),
  )
  return pageOf(answer, root)
}

function pageOf(answer: ListObjectsV2CommandOutput, root: string): ListPage {
  const own = (text = ''): string => (answer.EncodingType === 'url' ? decoded(text) : text).slice(root.length)
  const objects = (answer.Contents ?? []).map(({ Key, Size, ETag, LastModified }) => ({
    key: own(Key),
    sizeBytes: Size ?? 0,
    etag: ETag,
    lastModifiedMs: LastModified?.getTime() ?? 0,
  }))
  const prefixes = (answer.CommonPrefixes ?? []).map(({ Prefix }) => own(Prefix))
  if (answer.IsTruncated === true && answer.NextContinuationToken === undefined)
    throw invalid(
      'aws-refused',
      'The server says that a listing goes on, and not where: it does not speak ListObjectsV2.',
    )
  return {
    objects: objects.filter(({ key }) => isUsableKey(key)),
    prefixes: prefixes.filter((prefix) => isUsableKey(prefix.slice(0, -1))),
    continuation: answer.IsTruncated === true ? answer.NextContinuationToken : undefined,
  }
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
