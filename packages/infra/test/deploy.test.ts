/** The deploying policies allow each call that the provider makes for what the programs declare. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { boundaryArn } from '../src/policy/deploy.ts'
import { checkStateBucket } from '../src/names.ts'
import type { Resource } from '../src/testing/index.ts'
import { collectPolicies, decide, EVERYTHING, type Policies } from './support/iam.ts'
import { ACCOUNT, bootstrap, codeDirectory, only, REGION, run } from './support/program.ts'
import { needsOf, PROVIDER_VERSION } from './support/provider-actions.ts'

const PLACE = { account: ACCOUNT, region: REGION, boundary: boundaryArn(ACCOUNT) }
/** As the guide tells a deployer without rights on objects. Together the stacks declare each type that the program can. */
const BOUNDED = { initialObjects: 'false', permissionsBoundaryArn: boundaryArn(ACCOUNT), alarmEmail: 'ops@example.com' }
const STACKS = [
  { stack: 'prod', config: BOUNDED },
  {
    stack: 'prod',
    config: {
      ...BOUNDED,
      urlAuthorization: 'TOKENS',
      tokens: '[]',
      codeDirectory: codeDirectory({ model: true }),
      ...EVERYTHING.config,
    },
    secrets: ['tokens', ...EVERYTHING.secrets],
  },
  {
    stack: 'prod',
    config: {
      ...BOUNDED,
      project: 'acme',
      purpose: 'docs',
      embeddingPurposes: 'users,pages',
      serverImage: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/siltstone:0.1.0`,
      serverTokens: '[]',
      serverExecutionRoleArn: `arn:aws:iam::${ACCOUNT}:role/server-siltstone-execution`,
      serverInfrastructureRoleArn: `arn:aws:iam::${ACCOUNT}:role/server-siltstone-network`,
    },
    secrets: ['serverTokens'],
  },
]

let policies: Policies
let declared: Resource[]
beforeAll(async () => {
  policies = await collectPolicies({ project: 'acme', servers: 'true' })
  declared = (await Promise.all(STACKS.map(run))).flatMap(({ resources }) => resources.filter(({ custom }) => custom))
})

describe('a deployer', () => {
  it('may do everything that the provider does for each resource', async () => {
    const refused: string[] = []
    for (const resource of declared) {
      for (const { action, resource: arn, context } of needsOf(resource, PLACE)) {
        const row = {
          subject: 'deploy',
          action,
          resource: arn,
          ...(context && { context }),
          expected: 'Allowed',
        } as const
        const { verdict } = await decide(row, policies)
        if (verdict !== 'Allowed') refused.push(`${resource.type} ${resource.name}: ${action} on ${arn}: ${verdict}`)
      }
    }
    expect([...new Set(refused)]).toEqual([])
    expect(declared.length).toBeGreaterThan(100)
  }, 120_000)

  const state = 'arn:aws:s3:::siltstone-state-{account}'
  const role = 'arn:aws:iam::{account}:role/siltstone-{stack}-compactor'
  const TO_ECS = { 'iam:PassedToService': 'ecs.amazonaws.com' }
  const TO_TASKS = { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }
  const TO_EC2 = { 'iam:PassedToService': 'ec2.amazonaws.com' }
  const bounded = { 'iam:PermissionsBoundary': boundaryArn(ACCOUNT) }
  it.each([
    ['s3:GetObject', `${state}/.pulumi/meta.yaml`, {}, 'Allowed'],
    ['s3:PutObject', `${state}/.pulumi/meta.yaml`, {}, 'Allowed'],
    ['s3:DeleteObject', `${state}/.pulumi/meta.yaml`, {}, 'Allowed'],
    ['s3:ListBucket', state, {}, 'Allowed'],
    ['s3:DeleteBucket', state, {}, 'ImplicitlyDenied'],
    ['s3:PutBucketPolicy', state, {}, 'ImplicitlyDenied'],
    ['s3:GetObject', 'arn:aws:s3:::siltstone-state-999999999999/.pulumi/meta.yaml', {}, 'ImplicitlyDenied'],
    ['iam:UpdateRole', role, bounded, 'Allowed'],
    ['iam:UpdateRole', role, {}, 'ImplicitlyDenied'],
    ['iam:UpdateRole', 'arn:aws:iam::{account}:role/deploy-siltstone', bounded, 'ImplicitlyDenied'],
    ['iam:PassRole', 'arn:aws:iam::{account}:role/server-siltstone-network', TO_ECS, 'Allowed'],
    ['iam:PassRole', 'arn:aws:iam::{account}:role/server-siltstone-execution', TO_TASKS, 'Allowed'],
    ['iam:PassRole', 'arn:aws:iam::{account}:role/server-siltstone-execution', TO_EC2, 'ImplicitlyDenied'],
    ['iam:PutRolePolicy', 'arn:aws:iam::{account}:role/server-siltstone-execution', bounded, 'ImplicitlyDenied'],
    ['ecs:ExecuteCommand', 'arn:aws:ecs:{region}:{account}:task/default/1', {}, 'ExplicitlyDenied'],
    ['s3:PutBucketPolicy', 'arn:aws:s3:::acme-dev-vector-users', {}, 'Allowed'],
    ['s3:GetObject', 'arn:aws:s3:::acme-dev-vector-users/embeddings/1.json', {}, 'ExplicitlyDenied'],
    ['s3:PutBucketPolicy', 'arn:aws:s3:::acme-dev-website', {}, 'ImplicitlyDenied'],
    ['s3:PutBucketPolicy', 'arn:aws:s3:::other-dev-vector-users', {}, 'ImplicitlyDenied'],
    ['lambda:ListTags', 'arn:aws:lambda:{region}:{account}:function:other', {}, 'ImplicitlyDenied'],
    ['lambda:ListTags', 'arn:aws:lambda:{region}:999999999999:event-source-mapping:1', {}, 'ImplicitlyDenied'],
  ] as const)('%s %s %j: %s', async (action, resource, context, expected) => {
    expect((await decide({ subject: 'deploy', action, resource, context, expected }, policies)).verdict).toBe(expected)
  })

  it('is judged by the calls of the provider that is installed', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../node_modules/@pulumi/aws/package.json', import.meta.url), 'utf8'),
    ) as { version: string }
    expect(version).toBe(PROVIDER_VERSION)
  })

  it('reaches the state in a bucket of another name, when the setting names it', async () => {
    const { resources } = await bootstrap({ stateBucket: 'my-state' })
    const text = String(only(resources, 'aws:iam/policy:Policy', 'deploy-state-access').inputs['policy'])
    expect(text).toContain('arn:aws:s3:::my-state/*')
    expect(() => checkStateBucket('chromadb-vectors-state')).toThrow('use another name')
    expect(() => checkStateBucket('acme-dev-vector-state', 'acme')).toThrow('use another name')
    expect(checkStateBucket('acme-state', 'acme')).toBe('acme-state')
  })

  it('lets services use the buckets of a purpose, and manage none', async () => {
    const bucket = 'arn:aws:s3:::acme-prod-vector-users'
    const ask = async (action: string, resource: string) =>
      (await decide({ subject: 'service', action, resource, expected: 'Allowed' }, policies)).verdict
    for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']) {
      expect(await ask(action, `${bucket}/embeddings/1.json`), action).toBe('Allowed')
    }
    expect(await ask('s3:GetObject', 'arn:aws:s3:::acme-prod-website/1')).toBe('ImplicitlyDenied')
    expect(await ask('s3:DeleteBucket', bucket)).toBe('ExplicitlyDenied')
  })
})
