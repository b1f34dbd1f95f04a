import { beforeAll, describe, expect, it } from 'vitest'
import type { Run } from '../src/testing/index.ts'
import { alone, refusals } from './support/alone.ts'
import { all, bootstrap, only, run } from './support/program.ts'

const BUCKET = 'aws:s3/bucket:Bucket'

describe('buckets by purpose', () => {
  it('are named by project, environment and purpose', async () => {
    const named = async (args: object) => only((await alone('VectorBucket', args)).resources, BUCKET).inputs['bucket']
    expect(await named({ environment: 'dev', project: 'acme', purpose: 'user-embeddings' })).toBe(
      'acme-dev-vector-user-embeddings',
    )
    expect(await named({ environment: 'prod', project: 'acme', purpose: 'docs', suffix: 'b2' })).toBe(
      'acme-prod-vector-docs-b2',
    )
  })

  it('need both parts, which fit into a name', async () => {
    const messages = await refusals([
      ['VectorBucket', { project: 'acme' }],
      ['VectorBucket', { purpose: 'docs' }],
      ['VectorBucket', { project: 'Acme', purpose: 'docs' }],
      ['VectorBucket', { project: 'acme', purpose: 'a_b' }],
      ['VectorBucket', { project: 'acme', purpose: 'x'.repeat(60) }],
    ])
    expect(messages).toEqual([
      'InvalidArgument: purpose is undefined: with project, say what the bucket is for',
      'InvalidArgument: project is undefined: with purpose, name the project',
      'InvalidArgument: project is "Acme": use lower-case letters, digits and dashes',
      'InvalidArgument: purpose is "a_b": use lower-case letters, digits and dashes',
      expect.stringContaining('more than 63 characters'),
    ])
  })
})

describe('a stack with purposes', () => {
  let made: Run
  beforeAll(async () => {
    made = await run({
      stack: 'docs',
      config: { environment: 'test', project: 'acme', purpose: 'docs', embeddingPurposes: 'users,pages' },
    })
  })

  it('has a bucket for each, all private, versioned, encrypted and protected', () => {
    expect(made.outputs['bucket_name']).toBe('acme-test-vector-docs')
    expect(made.outputs['vector_bucket_names']).toEqual({
      users: 'acme-test-vector-users',
      pages: 'acme-test-vector-pages',
    })
    const buckets = all(made.resources, BUCKET)
    expect(buckets.map(({ protect }) => protect)).toEqual([true, true, true])
    for (const part of ['bucketPublicAccessBlock:BucketPublicAccessBlock', 'bucketVersioning:BucketVersioning'])
      expect(all(made.resources, `aws:s3/${part}`).length).toBe(3)
    // The objects of an embedding bucket belong to the programs that use it.
    const initial = all(made.resources, 'aws:s3/bucketObjectv2:BucketObjectv2').map(({ inputs }) => inputs['bucket'])
    expect(new Set(initial)).toEqual(new Set(['acme-test-vector-docs']))
  })

  it('is within what the policies of the account name', async () => {
    const { resources } = await bootstrap({ project: 'acme' })
    for (const name of ['s3-vector-management', 's3-vector-service-access', 'boundary']) {
      const policy = String(only(resources, 'aws:iam/policy:Policy', `deploy-${name}`).inputs['policy'])
      expect(policy, name).toContain('arn:aws:s3:::acme-*-vector-*')
    }
    const without = await bootstrap()
    expect(JSON.stringify(without.resources)).not.toContain('-vector-*')
  })
})
