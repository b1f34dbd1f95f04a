/** Which operation a request asks for, by its method and the sub-resources of its query. */
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from './acl-operations.ts'
import type { Verb } from './access-keys.ts'
import {
  createBucket,
  deleteBucket,
  deleteBucketCors,
  getBucketCors,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketCors,
  putBucketVersioning,
} from './bucket-operations.ts'
import type { S3Call } from './call.ts'
import { listMultipartUploads, listObjects, listObjectVersions } from './list-operations.ts'
import type { S3Answer } from './object-headers.ts'
import {
  copyObject,
  deleteObject,
  deleteObjects,
  deleteObjectTagging,
  getObject,
  getObjectAttributes,
  getObjectTagging,
  headObject,
  putObject,
  putObjectTagging,
} from './object-operations.ts'
import { S3Error } from './s3-error.ts'
import { header, parameter, type S3Request } from './s3-request.ts'
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listParts,
  uploadPart,
  uploadPartCopy,
} from './upload-operations.ts'

export interface Operation {
  name: string
  verb: Verb
  /** What the verb is needed for. `each`: the operation asks for each of its keys. */
  on: 'key' | 'prefix' | 'bucket' | 'each'
  run(call: S3Call): Promise<S3Answer>
}

const make = (name: string, verb: Verb, on: Operation['on'], run: Operation['run']): Operation => ({
  name,
  verb,
  on,
  run,
})

/** Sub-resources by which the query chooses an operation. What stands in no table below is not implemented. */
const SUBRESOURCES = [
  'acl',
  'accelerate',
  'analytics',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versioning',
  'versions',
  'website',
]

const BUCKET: Readonly<Record<string, Operation>> = {
  PUT: make('CreateBucket', 'admin', 'bucket', createBucket),
  HEAD: make('HeadBucket', 'list', 'bucket', headBucket),
  DELETE: make('DeleteBucket', 'admin', 'bucket', deleteBucket),
  GET: make('ListObjects', 'list', 'prefix', listObjects),
  'GET acl': make('GetBucketAcl', 'list', 'bucket', getBucketAcl),
  'PUT acl': make('PutBucketAcl', 'admin', 'bucket', putBucketAcl),
  'GET location': make('GetBucketLocation', 'list', 'bucket', getBucketLocation),
  'GET versioning': make('GetBucketVersioning', 'list', 'bucket', getBucketVersioning),
  'PUT versioning': make('PutBucketVersioning', 'admin', 'bucket', putBucketVersioning),
  'GET versions': make('ListObjectVersions', 'list', 'prefix', listObjectVersions),
  'GET uploads': make('ListMultipartUploads', 'list', 'prefix', listMultipartUploads),
  'GET cors': make('GetBucketCors', 'admin', 'bucket', getBucketCors),
  'PUT cors': make('PutBucketCors', 'admin', 'bucket', putBucketCors),
  'DELETE cors': make('DeleteBucketCors', 'admin', 'bucket', deleteBucketCors),
  'POST delete': make('DeleteObjects', 'delete', 'each', deleteObjects),
}

const OBJECT: Readonly<Record<string, Operation>> = {
  PUT: make('PutObject', 'write', 'key', putObject),
  GET: make('GetObject', 'read', 'key', getObject),
  HEAD: make('HeadObject', 'read', 'key', headObject),
  DELETE: make('DeleteObject', 'delete', 'key', deleteObject),
  'GET acl': make('GetObjectAcl', 'read', 'key', getObjectAcl),
  'PUT acl': make('PutObjectAcl', 'write', 'key', putObjectAcl),
  'PUT copy': make('CopyObject', 'write', 'key', copyObject),
  'GET attributes': make('GetObjectAttributes', 'read', 'key', getObjectAttributes),
  'GET tagging': make('GetObjectTagging', 'read', 'key', getObjectTagging),
  'PUT tagging': make('PutObjectTagging', 'write', 'key', putObjectTagging),
  'DELETE tagging': make('DeleteObjectTagging', 'write', 'key', deleteObjectTagging),
  'POST uploads': make('CreateMultipartUpload', 'write', 'key', createMultipartUpload),
  'PUT uploadId': make('UploadPart', 'write', 'key', uploadPart),
  'PUT uploadId copy': make('UploadPartCopy', 'write', 'key', uploadPartCopy),
  'POST uploadId': make('CompleteMultipartUpload', 'write', 'key', completeMultipartUpload),
  'DELETE uploadId': make('AbortMultipartUpload', 'write', 'key', abortMultipartUpload),
  'GET uploadId': make('ListParts', 'write', 'key', listParts),
}

/** @throws S3Error NotImplemented, MethodNotAllowed */
export function operationOf(request: S3Request): Operation {
  const { method, bucket, key } = request
  if (bucket === undefined) {
    if (method === 'GET') return make('ListBuckets', 'list', 'bucket', listBuckets)
    throw new S3Error('MethodNotAllowed', `${method} is not allowed on the service.`)
  }
  const table = key === undefined ? BUCKET : OBJECT
  const sub = SUBRESOURCES.find((name) => parameter(request, name) !== undefined)
  const copy = key !== undefined && header(request, 'x-amz-copy-source') !== undefined ? 'copy' : undefined
  const name = [method, sub, copy].filter((one) => one !== undefined).join(' ')
  const operation = table[name]
  if (operation !== undefined) return operation
  if (sub !== undefined || method === 'POST')
    throw new S3Error(
      'NotImplemented',
      `${name} of ${key === undefined ? 'a bucket' : 'an object'} is not implemented.`,
    )
  throw new S3Error('MethodNotAllowed', `${method} is not allowed here.`)
}
