/**
 * Access control lists, for tools that read one before they copy or show an object. Access follows access keys, so every list
 * is the same: the owner may do everything. A list that says that may be put, and changes nothing; any other is refused.
 */
import type { S3Call } from './call.ts'
import { requireBucket } from './bucket-operations.ts'
import { OWNER } from './list-operations.ts'
import { refuseUnsupported, type S3Answer } from './object-headers.ts'
import { xmlAnswer } from './object-operations.ts'
import { S3Error } from './s3-error.ts'
import { parameter } from './s3-request.ts'
import { childrenOf, childText, S3_NAMESPACE, type XmlElement } from './xml.ts'

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'
const PERSON = `<ID>${OWNER.ID}</ID><DisplayName>${OWNER.DisplayName}</DisplayName>`
const PRIVATE = `<?xml version="1.0" encoding="UTF-8"?>
<AccessControlPolicy xmlns="${S3_NAMESPACE}"><Owner>${PERSON}</Owner><AccessControlList><Grant><Grantee xmlns:xsi="${XSI}" xsi:type="CanonicalUser">${PERSON}</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`

export async function getBucketAcl(call: S3Call): Promise<S3Answer> {
  await requireBucket(call)
  return xmlAnswer(PRIVATE)
}

export async function getObjectAcl(call: S3Call): Promise<S3Answer> {
  await requireObject(call)
  return xmlAnswer(PRIVATE)
}

export async function putBucketAcl(call: S3Call): Promise<S3Answer> {
  await requireBucket(call)
  return accepted(call)
}

export async function putObjectAcl(call: S3Call): Promise<S3Answer> {
  await requireObject(call)
  return accepted(call)
}

/** @throws S3Error NoSuchKey */
async function requireObject({ request, store, key }: S3Call): Promise<void> {
  await store.tags(key, parameter(request, 'versionId'))
}

/** @throws S3Error NotImplemented for a list that gives anybody else anything */
async function accepted(call: S3Call): Promise<S3Answer> {
  refuseUnsupported(call.request)
  const policy = await call.xml('AccessControlPolicy')
  const list = policy && childrenOf(policy, 'AccessControlList')[0]
  if (list !== undefined && !childrenOf(list, 'Grant').every(isOwners))
    throw new S3Error('NotImplemented', 'Access follows access keys: a list can only give the owner FULL_CONTROL.')
  return { status: 200 }
}

function isOwners(grant: XmlElement): boolean {
  const grantee = childrenOf(grant, 'Grantee')[0]
  return (
    childText(grant, 'Permission') === 'FULL_CONTROL' && grantee !== undefined && childText(grantee, 'ID') === OWNER.ID
  )
}
