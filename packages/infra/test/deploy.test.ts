/** The deploying policies allow each call that the provider makes for what the programs declare. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { boundaryArn } from '../src/policy/deploy.ts'
import { checkStateBucket } from '../src/names.ts'
import type { Resource } from '../src/testing/index.ts'
import { collectPolicies, decide, type Policies } from './support/iam.ts'
import { ACCOUNT, bootstrap, codeDirectory, only, REGION, run } from './support/program.ts'
import { needsOf, PROVIDER_VERSION } from './support/provider-actions.ts'

const PLACE = { account: ACCOUNT, region: REGION, boundary: boundaryArn(ACCOUNT) }
/** As the guide tells a deployer without rights on objects. Together the stacks declare each type that the program can. */
const BOUNDED = { initialObjects: 'false', permissionsBoundaryArn: boundaryArn(ACCOUNT), alarmEmail: 'ops@example.com' }
const STACKS = [
  { stack: 'prod', config: BOUNDED },
  {
    stack: 'prod',
    config: { ...BOUNDED, urlAuthorization: 'TOKENS', tokens: '[]', codeDirectory: codeDirectory({ model: true }) },
    secrets: ['tokens'],
  },
]

let policies: Policies
let declared: Resource[]
beforeAll(async () => {
  policies = await collectPolicies()
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
  })
})
