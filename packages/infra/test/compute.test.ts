import { beforeAll, describe, expect, it } from 'vitest'
import { FUNCTIONS } from '../src/names.ts'
import { alone, type Alone, shortType } from './support/alone.ts'
import { all, codeDirectory, only } from './support/program.ts'

const FUNCTION = 'aws:lambda/function:Function'
const ROLE = 'arn:aws:iam::111122223333:role/mine'
const QUEUE_ARN = 'arn:aws:sqs:us-east-1:111122223333:q'
const shared = {
  environment: 'dev',
  codeDirectory: codeDirectory(),
  roles: Object.fromEntries(FUNCTIONS.map((name) => [name, { arn: ROLE }])),
  bucketName: 'a-bucket',
  queueUrl: 'https://sqs/q',
  queueArn: QUEUE_ARN,
  lockTableName: 'locks',
}

describe('Functions alone', () => {
  let made: Alone
  beforeAll(async () => {
    made = await alone('Functions', shared)
  })

  it.each([
    ['producer', 1_024, 300, 512],
    ['compactor', 3_008, 900, 10_240],
    ['query', 1_769, 60, 4_096],
    ['api', 1_769, 60, 2_048],
  ] as const)('%s has %d MB, %d s and %d MB of disk', (name, memorySize, timeout, size) => {
    expect(only(made.resources, FUNCTION, `alone-${name}`).inputs).toMatchObject({
      name: `siltstone-dev-${name}`,
      role: ROLE,
      runtime: 'nodejs24.x',
      architectures: ['arm64'],
      handler: 'index.handler',
      code: { archive: expect.stringContaining(`/${name}`) },
      memorySize,
      timeout,
      ephemeralStorage: { size },
      loggingConfig: { logFormat: 'JSON', logGroup: `/aws/lambda/siltstone-dev-${name}` },
      environment: {
        variables: {
          SILTSTONE_DATA: 's3://a-bucket',
          SILTSTONE_QUEUE_URL: 'https://sqs/q',
          SILTSTONE_LOCK_TABLE: 'locks',
          POWERTOOLS_SERVICE_NAME: `siltstone-dev-${name}`,
          POWERTOOLS_METRICS_NAMESPACE: 'ChromaDB/Compaction',
        },
      },
      tags: { Project: 'Siltstone', Environment: 'dev' },
    })
  })

  it('gives the model to the functions that embed', async () => {
    const { resources } = await alone('Functions', { ...shared, modelDirectory: shared.codeDirectory })
    const layer = only(resources, 'aws:lambda/layerVersion:LayerVersion')
    expect(layer.inputs).toMatchObject({ layerName: 'siltstone-dev-model', code: { archive: shared.codeDirectory } })
    const with_ = all(resources, FUNCTION).filter(({ inputs }) => inputs['layers'] !== undefined)
    expect(with_.map(({ name }) => name).toSorted()).toEqual(['alone-api', 'alone-producer', 'alone-query'])
  })

  it('costs nothing while idle', () => {
    for (const { inputs } of all(made.resources, FUNCTION)) {
      expect(Object.keys(inputs)).not.toContain('vpcConfig')
      expect(Object.keys(inputs)).not.toContain('reservedConcurrentExecutions')
    }
    expect(made.resources.map(shortType)).not.toContain('ProvisionedConcurrencyConfig')
  })

  it('keeps logs for a limited time, in groups that exist before the functions', () => {
    for (const name of FUNCTIONS) {
      const group = only(made.resources, 'aws:cloudwatch/logGroup:LogGroup', `alone-${name}-logs`)
      expect(group.inputs).toMatchObject({ name: `/aws/lambda/siltstone-dev-${name}`, retentionInDays: 30 })
      expect(only(made.resources, FUNCTION, `alone-${name}`).dependencies).toContain(group.urn)
    }
  })

  it('starts the compactor from the queue, and reports single failed messages', () => {
    expect(only(made.resources, 'aws:lambda/eventSourceMapping:EventSourceMapping').inputs).toEqual({
      eventSourceArn: QUEUE_ARN,
      functionName: 'siltstone-dev-compactor',
      batchSize: 1_000,
      maximumBatchingWindowInSeconds: 5,
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency: 2 },
    })
  })

  it('authorises calls of the URLs by IAM, and puts out the policy that a caller needs', () => {
    const urls = all(made.resources, 'aws:lambda/functionUrl:FunctionUrl')
    expect(Object.fromEntries(urls.map(({ inputs }) => [inputs['functionName'], inputs['authorizationType']]))).toEqual(
      {
        'siltstone-dev-api': 'AWS_IAM',
        'siltstone-dev-query': 'AWS_IAM',
      },
    )
    expect(all(made.resources, 'aws:lambda/permission:Permission')).toEqual([])
    expect(JSON.parse(String(made.component.outputs['query_caller_policy']))).toMatchObject({
      Statement: [{ Action: ['lambda:InvokeFunctionUrl'] }, { Action: ['lambda:InvokeFunction'] }],
    })
  })

  it('puts out names, ARNs and URLs', () => {
    expect(Object.keys(made.component.outputs).toSorted()).toEqual(
      [
        ...FUNCTIONS.flatMap((name) => [`${name}_function_arn`, `${name}_function_name`]),
        ...['query', 'api'].flatMap((name) => [`${name}_caller_policy`, `${name}_url`]),
      ].toSorted(),
    )
  })
})

describe('Functions', () => {
  it('authorises calls by tokens when configured', async () => {
    const args = { ...shared, only: ['query'], urlAuthorization: 'TOKENS', tokens: '{}' }
    const { resources } = await alone('Functions', args)
    expect(only(resources, 'aws:lambda/functionUrl:FunctionUrl').inputs['authorizationType']).toBe('NONE')
    expect(only(resources, FUNCTION).inputs).toMatchObject({
      environment: { variables: { SILTSTONE_TOKENS_PARAMETER: '/siltstone/dev/tokens' } },
    })
    expect(all(resources, 'aws:lambda/permission:Permission').map(({ inputs }) => inputs['action'])).toEqual([
      'lambda:InvokeFunctionUrl',
      'lambda:InvokeFunction',
    ])
  })
})

describe('LockTable alone', () => {
  it('is billed per request, restorable, and has no time to live', async () => {
    const { resources, component } = await alone('LockTable', { stack: 'prod' })
    const table = only(resources, 'aws:dynamodb/table:Table')
    expect(table.inputs).toMatchObject({
      name: 'siltstone-prod-locks',
      billingMode: 'PAY_PER_REQUEST',
      hashKey: 'pk',
      attributes: [{ name: 'pk', type: 'S' }],
      pointInTimeRecovery: { enabled: true },
      deletionProtectionEnabled: true,
    })
    expect(Object.keys(table.inputs)).not.toContain('ttl')
    expect(table.protect).toBe(true)
    expect(component.outputs).toEqual({
      table_name: 'siltstone-prod-locks',
      table_arn: 'arn:aws:dynamodb:us-east-1:111122223333:table/siltstone-prod-locks',
    })
  })
})

describe('Schedule alone', () => {
  it('runs the compactor every 15 minutes, without retries', async () => {
    const compactorArn = 'arn:aws:lambda:us-east-1:111122223333:function:c'
    const { resources, component } = await alone('Schedule', { environment: 'dev', compactorArn })
    const { inputs } = only(resources, 'aws:scheduler/schedule:Schedule')
    expect(inputs).toMatchObject({
      name: 'siltstone-dev-compact',
      scheduleExpression: 'rate(15 minutes)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: { arn: compactorArn, retryPolicy: { maximumRetryAttempts: 0 } },
    })
    const { input } = inputs['target'] as { input: string }
    expect(JSON.parse(input)).toEqual({ source: 'scheduled', action: 'compact' })
    const role = only(resources, 'aws:iam/role:Role')
    expect(JSON.parse(String(role.inputs['assumeRolePolicy']))).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
        },
      ],
    })
    expect(Object.keys(component.outputs).toSorted()).toEqual(['schedule_arn', 'schedule_name'])
  })
})
