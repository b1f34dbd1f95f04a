import { beforeAll, describe, expect, it } from 'vitest'
import type { PolicyDocument } from '../src/policy/document.ts'
import type { Resource } from '../src/testing/index.ts'
import { alone, type Alone, shortType } from './support/alone.ts'
import { only } from './support/program.ts'

const BUCKET = 'chromadb-vectors-dev-111122223333'
const ARN = `arn:aws:s3:::${BUCKET}`
const s3 = (type: string) => `aws:s3/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`
const part = (from: Alone, type: string): Resource => only(from.resources, s3(type))

describe('VectorBucket alone in dev', () => {
  let made: Alone
  beforeAll(async () => {
    made = await alone('VectorBucket', { environment: 'dev', tags: { Team: 'search' } })
  })

  it('is a bucket with its configuration and initial objects', () => {
    expect(made.resources.map(shortType).toSorted()).toEqual([
      'Bucket',
      'BucketLifecycleConfiguration',
      'BucketObjectv2',
      'BucketObjectv2',
      'BucketObjectv2',
      'BucketOwnershipControls',
      'BucketPolicy',
      'BucketPublicAccessBlock',
      'BucketServerSideEncryptionConfiguration',
      'BucketVersioning',
    ])
  })

  it('is named after stack and account, and tagged', () => {
    expect(part(made, 'Bucket').inputs).toMatchObject({
      bucket: BUCKET,
      tags: { Project: 'Siltstone', Environment: 'dev', Stack: 'dev', Team: 'search' },
    })
  })

  it('puts out the outputs of the guide', () => {
    expect(made.component.outputs).toMatchObject({
      bucket_name: BUCKET,
      bucket_arn: ARN,
      delta_prefix: 'delta/',
      snapshot_prefix: 'snapshot/',
      latest_pointer_key: 'snapshot/latest/pointer.txt',
    })
    const rules = made.component.outputs['lifecycle_rules'] as { id: string }[]
    expect(rules.map(({ id }) => id)).toContain('expire-deleted-deltas')
  })

  it('is versioned, encrypted and private', () => {
    expect(part(made, 'BucketVersioning').inputs).toMatchObject({ versioningConfiguration: { status: 'Enabled' } })
    expect(part(made, 'BucketServerSideEncryptionConfiguration').inputs['rules']).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } },
    ])
    expect(part(made, 'BucketPublicAccessBlock').inputs).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    })
    expect(part(made, 'BucketOwnershipControls').inputs).toMatchObject({
      rule: { objectOwnership: 'BucketOwnerEnforced' },
    })
  })

  it('refuses plain HTTP', () => {
    const policy = JSON.parse(String(part(made, 'BucketPolicy').inputs['policy'])) as PolicyDocument
    expect(policy.Statement[0]).toEqual({
      Sid: 'DenyPlainHttp',
      Effect: 'Deny',
      Principal: '*',
      Action: ['s3:*'],
      Resource: [ARN, `${ARN}/*`],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    })
  })

  it('creates the descriptor and placeholders, and ignores later changes', () => {
    const objects = made.resources.filter(({ type }) => type === s3('BucketObjectv2'))
    expect(Object.fromEntries(objects.map(({ inputs }) => [inputs['key'], inputs['content']]))).toEqual({
      'delta/.placeholder': '',
      'snapshot/.placeholder': '',
      'snapshot/latest/pointer.txt': 'snapshot/initial/',
    })
    for (const { ignoreChanges, retainOnDelete } of objects) {
      expect(ignoreChanges).toEqual(expect.arrayContaining(['content', 'etag']))
      expect(retainOnDelete).toBe(true)
    }
  })

  it('creates resources in the order that S3 requires', () => {
    const before = (resource: Resource) => resource.dependencies
    expect(before(part(made, 'BucketPolicy'))).toContain(part(made, 'BucketPublicAccessBlock').urn)
    expect(before(part(made, 'BucketLifecycleConfiguration'))).toContain(part(made, 'BucketVersioning').urn)
  })

  it('can be destroyed with its objects', () => {
    expect(part(made, 'Bucket')).toMatchObject({ protect: false, inputs: { forceDestroy: true } })
  })
})

describe('VectorBucket alone in prod', () => {
  const kmsKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012'
  let made: Alone
  beforeAll(async () => {
    made = await alone('VectorBucket', { stack: 'prod', suffix: 'b2', kmsKeyArn, initialObjects: false })
  })

  it('is protected by default, and keeps its objects', () => {
    expect(part(made, 'Bucket')).toMatchObject({
      protect: true,
      inputs: { bucket: 'chromadb-vectors-prod-111122223333-b2', forceDestroy: false },
    })
    expect(part(made, 'BucketVersioning').protect).toBe(true)
  })

  it('encrypts with the customer key and a bucket key', () => {
    expect(part(made, 'BucketServerSideEncryptionConfiguration').inputs['rules']).toEqual([
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: kmsKeyArn },
        bucketKeyEnabled: true,
      },
    ])
  })

  it('has no initial objects for a deployer without access to objects', () => {
    expect(made.resources.filter(({ type }) => type === s3('BucketObjectv2'))).toEqual([])
  })
})
