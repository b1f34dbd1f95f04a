import { beforeAll, describe, expect, it } from 'vitest'
import type { PolicyDocument } from '../src/policy/document.ts'
import type { Resource } from '../src/testing/index.ts'
import { alone, type Alone } from './support/alone.ts'
import { all, only } from './support/program.ts'

const ROLE = 'aws:iam/role:Role'
const BOUNDARY = 'arn:aws:iam::111122223333:policy/siltstone-runtime-boundary'
const arns = {
  bucketArn: 'arn:aws:s3:::a-bucket',
  queueArn: 'arn:aws:sqs:us-east-1:111122223333:q',
  lockTableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/locks',
}
const text = (resource: Resource, input = 'policy'): PolicyDocument =>
  JSON.parse(String(resource.inputs[input])) as PolicyDocument

describe('Roles alone', () => {
  let made: Alone
  beforeAll(async () => {
    made = await alone('Roles', {
      environment: 'dev',
      ...arns,
      kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/k',
      permissionsBoundaryArn: BOUNDARY,
    })
  })

  it('is one role per function, which only Lambda may assume, within the boundary', () => {
    expect(all(made.resources, ROLE).map(({ inputs }) => inputs['name'])).toEqual([
      'siltstone-dev-producer',
      'siltstone-dev-compactor',
      'siltstone-dev-query',
      'siltstone-dev-api',
    ])
    for (const role of all(made.resources, ROLE)) {
      expect(role.inputs['permissionsBoundary']).toBe(BOUNDARY)
      expect(text(role, 'assumeRolePolicy').Statement).toEqual([
        { Sid: 'Lambda', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: ['sts:AssumeRole'] },
      ])
    }
  })

  it('allows each function the key operations that it needs', () => {
    const actions = (name: string) => {
      const policy = text(only(made.resources, 'aws:iam/rolePolicy:RolePolicy', `alone-${name}-policy`))
      return policy.Statement.find(({ Sid }) => Sid === 'Key')?.Action
    }
    expect(actions('producer')).toEqual(['kms:GenerateDataKey', 'kms:Decrypt'])
    expect(actions('query')).toEqual(['kms:Decrypt'])
    expect(actions('compactor')).toEqual(['kms:GenerateDataKey', 'kms:Decrypt'])
    expect(actions('api')).toEqual(['kms:GenerateDataKey', 'kms:Decrypt'])
  })

  it('writes only into its own log group', () => {
    const policy = text(only(made.resources, 'aws:iam/rolePolicy:RolePolicy', 'alone-query-policy'))
    expect(policy.Statement.find(({ Sid }) => Sid === 'Logs')?.Resource).toEqual([
      'arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/siltstone-dev-query:*',
    ])
  })

  it('puts out the ARNs', () => {
    expect(made.component.outputs).toMatchObject({
      producer_role_arn: 'arn:aws:iam::111122223333:role/siltstone-dev-producer',
      api_role_arn: 'arn:aws:iam::111122223333:role/siltstone-dev-api',
    })
  })
})

describe('DeployPolicies alone', () => {
  let made: Alone
  beforeAll(async () => {
    made = await alone('DeployPolicies', {
      github: { repository: 'owner/name', environment: 'production', repositoryId: '42' },
    })
  })

  it('trusts exactly one environment of one repository', () => {
    const role = only(made.resources, ROLE)
    expect(role.inputs['maxSessionDuration']).toBeLessThanOrEqual(3_600)
    // The evaluator does not know these claims, so the text itself is compared.
    expect(text(role, 'assumeRolePolicy').Statement).toEqual([
      {
        Sid: 'GitHubActions',
        Effect: 'Allow',
        Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com' },
        Action: ['sts:AssumeRoleWithWebIdentity'],
        Condition: {
          StringEquals: {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'token.actions.githubusercontent.com:sub': 'repo:owner/name:environment:production',
            'token.actions.githubusercontent.com:repository_id': '42',
          },
        },
      },
    ])
  })

  it('gives the deployer both management policies and the state, and nothing at run time', () => {
    const attached = all(made.resources, 'aws:iam/rolePolicyAttachment:RolePolicyAttachment')
    expect(attached.map(({ inputs }) => inputs['policyArn'])).toEqual([
      made.component.outputs['s3_vector_management_policy_arn'],
      made.component.outputs['application_management_policy_arn'],
      made.component.outputs['state_access_policy_arn'],
    ])
  })

  it('has a role that it cannot change itself', () => {
    expect(String(only(made.resources, ROLE).inputs['name'])).not.toMatch(/^siltstone-/)
  })

  it('puts out the policies, the boundary and the role', () => {
    expect(made.component.outputs).toMatchObject({
      s3_vector_management_policy_arn: expect.stringContaining(':policy/'),
      s3_vector_service_policy_arn: expect.stringContaining(':policy/'),
      permissions_boundary_arn: BOUNDARY,
      deploy_role_arn: 'arn:aws:iam::111122223333:role/deploy-siltstone',
    })
  })

  it('makes no role without a repository', async () => {
    const { resources, component } = await alone('DeployPolicies')
    expect(all(resources, ROLE)).toEqual([])
    expect(component.outputs['deploy_role_arn']).toBeUndefined()
  })
})
