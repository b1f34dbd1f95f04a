import { beforeAll, describe, expect, it } from 'vitest'
import type { Run } from '../src/testing/index.ts'
import { alone, describeRefusals, type Refusal } from './support/alone.ts'
import { all, codeDirectory, only, run } from './support/program.ts'

const PASSWORD = 'a long password'
const FUNCTION = 'aws:lambda/function:Function'
const args = {
  environment: 'dev',
  codeDirectory: codeDirectory(),
  bucket: { bucketName: 'a-bucket', bucketArn: 'arn:aws:s3:::a-bucket' },
  deltaQueue: { queueUrl: 'https://sqs/q', queueArn: 'arn:aws:sqs:us-east-1:111122223333:q' },
  lockTable: { tableName: 't' },
  adminPassword: PASSWORD,
}

interface PolicyText {
  Statement: { Sid: string; Action: string[]; Resource: string[] }[]
}

describe('RegistryFunction alone', () => {
  it('may get, put, delete and list objects, and no more with them', async () => {
    const { resources } = await alone('RegistryFunction', args)
    const text = String(only(resources, 'aws:iam/rolePolicy:RolePolicy', 'alone-policy').inputs['policy'])
    const { Statement } = JSON.parse(text) as PolicyText
    const actions = new Set(Statement.flatMap(({ Action }) => Action).filter((action) => action.startsWith('s3:')))
    expect([...actions].sort()).toEqual(['s3:DeleteObject', 's3:GetObject', 's3:ListBucket', 's3:PutObject'])
    const own = Statement.find(({ Sid }) => Sid === 'Registry')?.Resource
    expect(own).toEqual(
      ['registry', 'artifacts', 'users', 'tokens'].map((prefix) => `arn:aws:s3:::a-bucket/${prefix}/*`),
    )
  })

  it('costs nothing while nobody calls it: no reserved and no provisioned concurrency, no network interface', async () => {
    const { resources } = await alone('RegistryFunction', args)
    const made = only(resources, FUNCTION)
    expect(Object.keys(made.inputs).filter((key) => /concurren|vpc|snapStart/i.test(key))).toEqual([])
    expect(all(resources, 'aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig')).toEqual([])
    expect(only(resources, 'aws:scheduler/schedule:Schedule').inputs).toMatchObject({
      scheduleExpression: 'rate(24 hours)',
    })
  })

  it('takes an upper limit of executions, and variables of the registry', async () => {
    const { resources } = await alone('RegistryFunction', {
      ...args,
      concurrency: 5,
      gcHours: 24,
      keepDays: 90,
      variables: { REGISTRY_GATE: 'net_score=0.4' },
    })
    expect(only(resources, FUNCTION).inputs).toMatchObject({
      reservedConcurrentExecutions: 5,
      environment: {
        variables: {
          REGISTRY_GATE: 'net_score=0.4',
          SILTSTONE_REGISTRY_GC_HOURS: '24',
          SILTSTONE_REGISTRY_KEEP_DAYS: '90',
        },
      },
    })
  })
})

describe('tokens for the services that are asked', () => {
  const config = {
    registry: 'true',
    registryAdminPassword: PASSWORD,
    registryHubToken: 'hf_of the hub',
    registryGithubToken: 'ghp_of GitHub',
  }
  const secrets = ['registryAdminPassword', 'registryHubToken', 'registryGithubToken']

  it('are parameters that the function names and may read, and stand in no environment', async () => {
    const { resources } = await run({ stack: 'prod', config, secrets })
    for (const [name, service] of [
      ['HF_TOKEN_PARAMETER', 'hub'],
      ['GITHUB_TOKEN_PARAMETER', 'github'],
    ] as const) {
      const parameter = `/siltstone/prod/registry-${service}-token`
      const made = only(resources, 'aws:ssm/parameter:Parameter', `registry-${service}-token`).inputs
      expect(made).toMatchObject({ name: parameter, type: 'SecureString' })
      const { environment } = only(resources, FUNCTION, 'registry-function').inputs
      expect(environment).toMatchObject({ variables: { [name]: parameter } })
      expect(JSON.stringify(environment)).not.toMatch(/hf_of|ghp_of/)
    }
    const text = String(only(resources, 'aws:iam/rolePolicy:RolePolicy', 'registry-policy').inputs['policy'])
    const { Statement } = JSON.parse(text) as PolicyText
    const read = Statement.filter(({ Action }) => Action.includes('ssm:GetParameter')).flatMap(
      ({ Resource }) => Resource,
    )
    const names = read.map((arn) => arn.split('/').at(-1))
    expect(new Set(names)).toEqual(new Set(['registry-admin-password', 'registry-github-token', 'registry-hub-token']))
    expect(names).toHaveLength(3)
  })

  it('are neither made nor readable where none is given', async () => {
    const { resources } = await alone('RegistryFunction', args)
    expect(all(resources, 'aws:ssm/parameter:Parameter').map(({ name }) => name)).toEqual(['alone-admin-password'])
    const text = String(only(resources, 'aws:iam/rolePolicy:RolePolicy', 'alone-policy').inputs['policy'])
    expect(text).not.toMatch(/registry-(?:hub|github)-token/)
  })
})

describe('the program with a registry', () => {
  let made: Run
  beforeAll(async () => {
    made = await run({
      stack: 'prod',
      config: { registry: 'true', registryAdminPassword: PASSWORD, registryAdminUser: 'root' },
      secrets: ['registryAdminPassword'],
    })
  })

  it('keeps the password in a parameter that the function names, not in its environment', () => {
    const password = only(made.resources, 'aws:ssm/parameter:Parameter', 'registry-admin-password').inputs
    expect(password).toMatchObject({ name: '/siltstone/prod/registry-admin-password', type: 'SecureString' })
    const { environment } = only(made.resources, FUNCTION, 'registry-function').inputs
    expect(environment).toMatchObject({
      variables: {
        REGISTRY_ADMIN_USER: 'root',
        REGISTRY_ADMIN_PASSWORD_PARAMETER: '/siltstone/prod/registry-admin-password',
        SILTSTONE_DATA: 's3://chromadb-vectors-prod-111122223333',
      },
    })
    expect(JSON.stringify(environment)).not.toContain(PASSWORD)
  })

  it('opens its URL, because it checks tokens itself, and no other way to the function', () => {
    expect(only(made.resources, 'aws:lambda/functionUrl:FunctionUrl', 'registry-url').inputs).toMatchObject({
      authorizationType: 'NONE',
      invokeMode: 'BUFFERED',
    })
    const permissions = all(made.resources, 'aws:lambda/permission:Permission').map(({ inputs }) => inputs)
    expect(permissions).toMatchObject([
      { action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: 'NONE' },
      { action: 'lambda:InvokeFunction', invokedViaFunctionUrl: true },
    ])
    expect(made.outputs).toMatchObject({
      registry_function_name: 'siltstone-prod-registry',
      registry_schedule_name: 'siltstone-prod-registry-maintain',
      registry_url: expect.any(String) as string,
    })
  })

  it('starts maintenance once a day, in a role that may do only this', () => {
    const { inputs } = only(made.resources, 'aws:scheduler/schedule:Schedule', 'registry-schedule')
    expect(inputs).toMatchObject({ scheduleExpression: 'rate(24 hours)' })
    expect(JSON.parse((inputs['target'] as { input: string }).input)).toEqual({
      source: 'scheduled',
      action: 'maintain',
    })
    const text = String(
      only(made.resources, 'aws:iam/rolePolicy:RolePolicy', 'registry-schedule-policy').inputs['policy'],
    )
    expect(JSON.parse(text)).toMatchObject({ Statement: [{ Action: ['lambda:InvokeFunction'] }] })
  })

  it('makes nothing of this without the option', async () => {
    const { resources } = await run({ stack: 'prod' })
    expect(resources.filter(({ name }) => name.startsWith('registry'))).toEqual([])
  })
})

const CASES: readonly Refusal[] = [
  ['RegistryFunction', { ...args, codeDirectory: '/nowhere' }, 'build the functions first'],
  ['RegistryFunction', { ...args, adminPassword: '' }, 'adminPassword is "": give the password of the first admin'],
  ['RegistryFunction', { ...args, maintainHours: 0 }, 'maintainHours is 0: use an integer from 1 to 168'],
  ['RegistryFunction', { ...args, keepDays: 9 }, 'keepDays is 9: set gcHours, too'],
  ['RegistryFunction', { ...args, concurrency: 0 }, 'concurrency is 0: use an integer from 1'],
  [
    'RegistryFunction',
    { ...args, variables: { REGISTRY_ADMIN_PASSWORD: 'x' } },
    'variables is "REGISTRY_ADMIN_PASSWORD": use variables that begin with REGISTRY_, and no admin',
  ],
  [
    'RegistryFunction',
    { ...args, settings: { timeoutSeconds: 1_000 } },
    'settings.timeoutSeconds is 1000: use an integer',
  ],
]

describeRefusals(CASES)
