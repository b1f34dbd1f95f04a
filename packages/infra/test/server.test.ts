import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { serverPolicy } from '../src/policy/server.ts'
import { KEYS } from '../src/testing/index.ts'
import { wildcard } from '../src/policy/document.ts'
import { alone, type Alone, refusals, shortType } from './support/alone.ts'
import { bootstrap, only, run } from './support/program.ts'

const SERVICE = 'aws:ecs/expressGatewayService:ExpressGatewayService'
const BOUNDARY = 'arn:aws:iam::111122223333:policy/siltstone-runtime-boundary'
const ARGS = {
  environment: 'dev',
  image: 'example.com/siltstone:0.1.0',
  bucketName: 'a-bucket',
  bucketArn: 'arn:aws:s3:::a-bucket',
  tokens: '[{"token":"s3cret"}]',
  executionRoleArn: 'arn:aws:iam::111122223333:role/server-siltstone-execution',
  infrastructureRoleArn: 'arn:aws:iam::111122223333:role/server-siltstone-network',
  permissionsBoundaryArn: BOUNDARY,
}
type Container = { environments: { name: string; value: string }[]; secrets: unknown; containerPort: number }

describe('Server alone', () => {
  let made: Alone
  beforeAll(async () => {
    made = await alone('Server', ARGS)
  })

  it('is one service with a role, a log group and a secret', () => {
    expect(made.resources.map(shortType).toSorted()).toEqual(
      ['ExpressGatewayService', 'LogGroup', 'Parameter', 'Role', 'RolePolicy'].toSorted(),
    )
    const service = only(made.resources, SERVICE)
    expect(service.dependencies).toContain(only(made.resources, 'aws:iam/rolePolicy:RolePolicy').urn)
    expect(service.inputs).toMatchObject({ serviceName: 'siltstone-dev-server', cpu: '1024', memory: '2048' })
    expect(only(made.resources, 'aws:iam/role:Role').inputs['permissionsBoundary']).toBe(BOUNDARY)
  })

  it('starts a server on the bucket, whose tokens only Systems Manager knows', () => {
    const service = only(made.resources, SERVICE)
    const container = service.inputs['primaryContainer'] as Container
    const variables = Object.fromEntries(container.environments.map(({ name, value }) => [name, value]))
    expect(variables).toEqual({ SILTSTONE_DATA: 's3://a-bucket', SILTSTONE_HOST: '0.0.0.0', SILTSTONE_PORT: '8000' })
    const parameter = only(made.resources, 'aws:ssm/parameter:Parameter')
    expect(container.secrets).toEqual([{ name: 'SILTSTONE_TOKENS', valueFrom: parameter.state['arn'] }])
    const told = made.resources.filter(({ inputs }) => JSON.stringify(inputs).includes('s3cret'))
    expect(told.map(shortType)).toEqual(['Parameter'])
  })

  it('listens on the port of the image, and asks whether the process answers', () => {
    const image = readFileSync(new URL('../../../deploy/container/Dockerfile', import.meta.url), 'utf8')
    const { containerPort } = only(made.resources, SERVICE).inputs['primaryContainer'] as Container
    expect(image).toContain(`EXPOSE ${containerPort}`)
    // Not /readyz: a bucket that cannot be reached is no reason to end the process.
    expect(only(made.resources, SERVICE).inputs['healthCheckPath']).toBe('/healthz')
  })
})

describe('the role of a server', () => {
  const policy = serverPolicy({ bucketArn: 'arn:aws:s3:::b' })
  const allows = (action: string, key: string) =>
    policy.Statement.some(
      ({ Action, Resource = [] }) =>
        Action.includes(action) && Resource.some((pattern) => wildcard(pattern).test(`arn:aws:s3:::b/${key}`)),
    )

  it('reads and writes everything that the product writes, and the folder of its driver', () => {
    // States of users' objects are of those who process them; the registry's objects are of its function.
    const { objectState, artifact, blob, user, token, ...keys } = KEYS
    for (const key of [objectState, artifact, blob, user, token]) expect(allows('s3:GetObject', key), key).toBe(false)
    for (const key of [...Object.values(keys), '.siltstone/lease/1.json', '.siltstone/probe/1']) {
      expect(allows('s3:GetObject', key), key).toBe(true)
      expect(allows('s3:PutObject', key), key).toBe(true)
    }
  })

  it('deletes neither pointers nor the store', () => {
    expect(allows('s3:DeleteObject', KEYS.pointer)).toBe(false)
    expect(allows('s3:DeleteObject', KEYS.store)).toBe(false)
    expect(allows('s3:DeleteObject', KEYS.segment)).toBe(true)
  })

  it('has no right on a queue or a table that it does not use', () => {
    expect(JSON.stringify(policy)).not.toMatch(/sqs:|dynamodb:/)
    const full = JSON.stringify(serverPolicy({ bucketArn: 'b', queueArn: 'q', lockTableArn: 't', kmsKeyArn: 'k' }))
    for (const action of ['sqs:ReceiveMessage', 'sqs:SendMessage', 'dynamodb:UpdateItem', 'kms:Decrypt']) {
      expect(full).toContain(action)
    }
  })
})

describe('servers in the programs', () => {
  it('are made by the administrator and the stack together', async () => {
    const admin = await bootstrap({ servers: 'true' })
    const { outputs } = await run({
      stack: 'prod',
      config: {
        serverImage: 'example.com/siltstone:0.1.0',
        serverTokens: '[]',
        serverExecutionRoleArn: String(admin.outputs['server_execution_role_arn']),
        serverInfrastructureRoleArn: String(admin.outputs['server_infrastructure_role_arn']),
      },
      secrets: ['serverTokens'],
    })
    expect(outputs['server_url']).toBe('https://siltstone-prod-server.ecs.us-east-1.on.aws')
  })

  it('need tokens', async () => {
    await expect(run({ config: { serverImage: 'example.com/siltstone:0.1.0' } })).rejects.toThrow('serverTokens')
  })

  it('refuse sizes that ECS does not have', async () => {
    const messages = await refusals([
      ['Server', { ...ARGS, cpuUnits: 300 }],
      ['Server', { ...ARGS, memoryMb: 100 }],
      ['Server', { ...ARGS, minTasks: 3, maxTasks: 2 }],
    ])
    expect(messages).toEqual([
      'InvalidArgument: cpuUnits is "300": use one of 256, 512, 1024, 2048, 4096',
      'InvalidArgument: memoryMb is 100: use an integer from 512 to 8192',
      'InvalidArgument: maxTasks is 2: use at least minTasks, 3',
    ])
  })
})
