/** Operations on buckets and their settings. */
import type { S3Call } from './call.ts'
import { type CorsRule, corsRules, corsXml } from './cors.ts'
import { limitOf, OWNER } from './list-operations.ts'
import type { S3Answer } from './object-headers.ts'
import { xmlAnswer } from './object-operations.ts'
import { S3Error } from './s3-error.ts'
import { parameter } from './s3-request.ts'
import { childText, xmlDocument } from './xml.ts'

export async function listBuckets(call: S3Call): Promise<S3Answer> {
  const { buckets: allowed } = call.auth.key
  const limit = limitOf(call.request, 'max-buckets', 10_000)
  const prefix = parameter(call.request, 'prefix') ?? ''
  // The token is the last name of the page before.
  const after = parameter(call.request, 'continuation-token') ?? ''
  const found = (await call.buckets.listBuckets()).filter(
    ({ name }) => (allowed === undefined || allowed.includes(name)) && name.startsWith(prefix) && name > after,
  )
  const page = found.slice(0, limit)
  const list = page.map(({ name, createdMs }) => ({ Name: name, CreationDate: new Date(createdMs).toISOString() }))
  return xmlAnswer(
    xmlDocument('ListAllMyBucketsResult', {
      Owner: OWNER,
      Buckets: { Bucket: list },
      ContinuationToken: page.length < found.length ? page.at(-1)?.name : undefined,
      Prefix: prefix === '' ? undefined : prefix,
    }),
  )
}

/** Version 2 signs no region. */
const LIKE_US_EAST_1 = ['us-east-1', '']

export async function createBucket(call: S3Call): Promise<S3Answer> {
  // The place of the bucket is here, whatever the body asks for.
  await call.xml('CreateBucketConfiguration')
  const isNew = await call.buckets.createBucket(call.bucket)
  // As in S3: only us-east-1 answers a repeated request like the first one.
  if (!isNew && !LIKE_US_EAST_1.includes(call.auth.scope.region))
    throw new S3Error('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded.')
  return { status: 200, headers: { location: `/${call.bucket}` } }
}

/** @throws S3Error NoSuchBucket */
export async function requireBucket({ buckets, bucket }: S3Call): Promise<void> {
  if (await buckets.hasBucket(bucket)) return
  throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { details: { BucketName: bucket } })
}

export async function headBucket(call: S3Call): Promise<S3Answer> {
  await requireBucket(call)
  return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } }
}

export async function deleteBucket(call: S3Call): Promise<S3Answer> {
  await call.buckets.deleteBucket(call.bucket)
  return { status: 204 }
}

export async function getBucketLocation(call: S3Call): Promise<S3Answer> {
  await requireBucket(call)
  return xmlAnswer(xmlDocument('LocationConstraint', ''))
}

export async function getBucketVersioning({ store }: S3Call): Promise<S3Answer> {
  const versioning = await store.versioning()
  const status = { off: undefined, enabled: 'Enabled', suspended: 'Suspended' }[versioning]
  return xmlAnswer(xmlDocument('VersioningConfiguration', { Status: status }))
}

export async function putBucketVersioning(call: S3Call): Promise<S3Answer> {
  const body = await call.xml('VersioningConfiguration')
  const status = body && childText(body, 'Status')
  if (body && childText(body, 'MfaDelete') === 'Enabled')
    throw new S3Error('NotImplemented', 'MFA delete is not supported.')
  if (status !== 'Enabled' && status !== 'Suspended')
    throw new S3Error('MalformedXML', 'Status is Enabled or Suspended.')
  await call.store.setVersioning(status === 'Enabled' ? 'enabled' : 'suspended')
  return { status: 200 }
}

/** The rules of a bucket; none for a bucket that is not there. */
export async function storedCors(
  { buckets }: Pick<S3Call, 'buckets'>,
  bucket: string,
): Promise<CorsRule[] | undefined> {
  if (!(await buckets.hasBucket(bucket))) return undefined
  const text = await buckets.setting(bucket, 'cors')
  return text === undefined ? undefined : (JSON.parse(text) as CorsRule[])
}

export async function getBucketCors(call: S3Call): Promise<S3Answer> {
  await requireBucket(call)
  const rules = await storedCors(call, call.bucket)
  if (rules === undefined) throw new S3Error('NoSuchCORSConfiguration', 'The CORS configuration does not exist')
  return xmlAnswer(xmlDocument('CORSConfiguration', corsXml(rules)))
}

export async function putBucketCors(call: S3Call): Promise<S3Answer> {
  const rules = corsRules(await call.xml('CORSConfiguration'))
  await call.buckets.setSetting(call.bucket, 'cors', JSON.stringify(rules))
  return { status: 200 }
}

export async function deleteBucketCors(call: S3Call): Promise<S3Answer> {
  await call.buckets.setSetting(call.bucket, 'cors', undefined)
  return { status: 204 }
}
