import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { FUNCTIONS } from '../src/names.ts'
import { type Resource, type Run, UNKNOWN } from '../src/testing/index.ts'
import { all, bootstrap, codeDirectory as makeCode, only, run } from './support/program.ts'

const codeDirectory = makeCode()
const BUCKET = 'aws:s3/bucket:Bucket'
const FUNCTION = 'aws:lambda/function:Function'
/** Types without tags, or that are part of a tagged resource. */
const UNTAGGED = new Set([
  'BucketLifecycleConfiguration',
  'BucketNotification',
  'BucketObjectv2',
  'BucketOwnershipControls',
  'BucketPolicy',
  'BucketPublicAccessBlock',
  'BucketServerSideEncryptionConfiguration',
  'BucketVersioning',
  'Dashboard',
  'EventSourceMapping',
  'FunctionEventInvokeConfig',
  'FunctionUrl',
  'LayerVersion',
  'Permission',
  'QueuePolicy',
  'RedriveAllowPolicy',
  'RolePolicy',
  'RolePolicyAttachment',
  'Schedule',
  'TopicPolicy',
  'TopicSubscription',
])
const shortType = (type: string) => type.split(':').at(-1) ?? type
const custom = ({ resources }: Run) => resources.filter((each) => each.custom)

/** No resource contains an unresolved output converted to text. */
function expectNoStringifiedOutputs(resources: readonly Resource[]): void {
  for (const { name, inputs } of resources) {
    expect(JSON.stringify(inputs), name).not.toMatch(/Calling \[to(String|JSON)\]|\[object Object\]|undefined/)
  }
}

describe('the program in prod', () => {
  let made: Run
  beforeAll(async () => {
    made = await run({ stack: 'prod', config: { alarmEmail: 'ops@example.com' } })
  })

  it('consists of the components, in an order in which they can be created', () => {
    const components = made.resources
      .filter(({ type }) => type.startsWith('siltstone:aws:'))
      .map(({ type }) => shortType(type))
    expect(components.toSorted()).toEqual(
      ['DeltaQueue', 'Functions', 'LockTable', 'Monitoring', 'Roles', 'Schedule', 'VectorBucket'].toSorted(),
    )
    const before = new Set<string>()
    for (const { urn, name, dependencies } of made.resources) {
      expect(
        dependencies.filter((each) => !before.has(each)),
        `${name} comes after`,
      ).toEqual([])
      before.add(urn)
    }
  })

  it('tags everything that can be', () => {
    for (const { type, name, inputs } of custom(made)) {
      if (UNTAGGED.has(shortType(type))) continue
      expect(inputs['tags'], `${type} ${name}`).toMatchObject({
        Project: 'Siltstone',
        Environment: 'prod',
        Stack: 'prod',
      })
    }
  })

  it('protects exactly the resources that hold data', () => {
    const kept = custom(made).filter(({ protect }) => protect)
    expect(kept.map(({ type }) => shortType(type)).toSorted()).toEqual(['Bucket', 'BucketVersioning', 'Table'])
    expect(only(made.resources, BUCKET).inputs['forceDestroy']).toBe(false)
  })

  it('passes the names of the resources to every function', () => {
    for (const { inputs } of all(made.resources, FUNCTION)) {
      expect(inputs['environment']).toMatchObject({
        variables: {
          SILTSTONE_DATA: `s3://${String(made.outputs['bucket_name'])}`,
          SILTSTONE_QUEUE_URL: made.outputs['queue_url'],
          SILTSTONE_LOCK_TABLE: made.outputs['lock_table_name'],
        },
      })
    }
  })

  it('gives each function its own role, and policies before the function', () => {
    for (const name of FUNCTIONS) {
      const role = only(made.resources, 'aws:iam/role:Role', `roles-${name}`)
      const made_ = only(made.resources, FUNCTION, `functions-${name}`)
      expect(made_.inputs['role']).toBe(role.state['arn'])
      expect(made_.dependencies).toContain(
        only(made.resources, 'aws:iam/rolePolicy:RolePolicy', `roles-${name}-policy`).urn,
      )
    }
  })

  it('lets the compactor finish before its messages become visible again', () => {
    const queue = only(made.resources, 'aws:sqs/queue:Queue', 'delta-queue')
    const compactor = only(made.resources, FUNCTION, 'functions-compactor')
    expect(Number(queue.inputs['visibilityTimeoutSeconds'])).toBeGreaterThanOrEqual(Number(compactor.inputs['timeout']))
    const mapping = only(made.resources, 'aws:lambda/eventSourceMapping:EventSourceMapping')
    expect(mapping.inputs).toMatchObject({
      eventSourceArn: queue.state['arn'],
      functionName: compactor.inputs['name'],
    })
  })

  it('schedules the compactor, with a separate role', () => {
    const { inputs } = only(made.resources, 'aws:scheduler/schedule:Schedule')
    expect(inputs['target']).toMatchObject({
      arn: only(made.resources, FUNCTION, 'functions-compactor').state['arn'],
      roleArn: only(made.resources, 'aws:iam/role:Role', 'schedule-role').state['arn'],
    })
  })

  it('keeps dead letters longer than messages', () => {
    const retention = (name: string) =>
      Number(only(made.resources, 'aws:sqs/queue:Queue', name).inputs['messageRetentionSeconds'])
    expect(retention('delta-dead')).toBeGreaterThan(retention('delta-queue'))
  })

  it('puts out the outputs that the guide names', () => {
    expect(made.outputs).toMatchObject({
      bucket_name: 'chromadb-vectors-prod-111122223333',
      bucket_arn: 'arn:aws:s3:::chromadb-vectors-prod-111122223333',
      delta_prefix: 'delta/',
      snapshot_prefix: 'snapshot/',
      latest_pointer_key: 'snapshot/latest/pointer.txt',
      lock_table_name: 'siltstone-prod-locks',
      dashboard_name: 'ChromaDB-prod',
      query_url: expect.stringMatching(/^https:/),
      api_url: expect.stringMatching(/^https:/),
    })
  })

  it('has no output inside a text', () => expectNoStringifiedOutputs(custom(made)))
})

describe('the program otherwise', () => {
  it('can be previewed before anything exists', async () => {
    const { resources, outputs } = await run({ stack: 'dev', dryRun: true })
    const bucket = only(resources, BUCKET)
    expect(bucket.inputs['forceDestroy']).toBe(true)
    expect(only(resources, 'aws:s3/bucketPolicy:BucketPolicy').inputs['policy']).toBe(UNKNOWN)
    expect(Object.keys(outputs)).toContain('query_url')
    expectNoStringifiedOutputs(resources.filter((each) => each.custom))
  })

  it('uses every option of Pulumi.yaml', async () => {
    const tokens = '[{"token":"s3cret"}]'
    const { resources } = await run({
      stack: 'blue',
      secrets: ['tokens'],
      config: {
        environment: 'test',
        suffix: 'b2',
        tiering: 'age',
        historyDays: '200',
        deltaHistoryDays: '9',
        archiveHistoryAfterDays: '90',
        initialObjects: 'false',
        permissionsBoundaryArn: 'arn:aws:iam::111122223333:policy/siltstone-runtime-boundary',
        urlAuthorization: 'TOKENS',
        tokens,
        scheduleMinutes: '30',
        maxConcurrentCompactions: '7',
        alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:mine',
        logLevel: 'DEBUG',
      },
    })
    expect(only(resources, BUCKET)).toMatchObject({
      protect: true,
      inputs: { bucket: 'chromadb-vectors-blue-111122223333-b2', tags: { Environment: 'test', Stack: 'blue' } },
    })
    expect(all(resources, 'aws:s3/bucketObjectv2:BucketObjectv2')).toEqual([])
    const lifecycle = JSON.stringify(
      only(resources, 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration').inputs,
    )
    for (const part of ['"noncurrentDays":200', '"noncurrentDays":9', 'STANDARD_IA', 'archive-history']) {
      expect(lifecycle).toContain(part)
    }
    for (const { inputs } of all(resources, 'aws:iam/role:Role')) expect(inputs['permissionsBoundary']).toBeDefined()
    expect(only(resources, 'aws:scheduler/schedule:Schedule').inputs['scheduleExpression']).toBe('rate(30 minutes)')
    expect(only(resources, 'aws:lambda/eventSourceMapping:EventSourceMapping').inputs).toMatchObject({
      scalingConfig: { maximumConcurrency: 7 },
    })
    expect(all(resources, 'aws:sns/topic:Topic')).toEqual([])
    const api = only(resources, FUNCTION, 'functions-api')
    expect(api.inputs).toMatchObject({
      environment: { variables: { SILTSTONE_TOKENS_PARAMETER: '/siltstone/blue/tokens', LOG_LEVEL: 'DEBUG' } },
    })
    const parameter = only(resources, 'aws:ssm/parameter:Parameter')
    expect([parameter.inputs['type'], parameter.secrets]).toEqual(['SecureString', ['value']])
    // Nobody else knows them.
    const told = resources.filter(({ custom: each, inputs }) => each && JSON.stringify(inputs).includes('s3cret'))
    expect(told.map(({ name }) => name).toSorted()).toEqual(['functions-tokens'])
  })

  it('uses the defaults of Pulumi.yaml', async () => {
    const yaml = readFileSync(new URL('../../../infra/Pulumi.yaml', import.meta.url), 'utf8')
    const options = [...yaml.matchAll(/^ {2}(\w+):\n {4}type: \w+\n {4}description: .*\n {4}default: (.*)$/gm)]
    const defaults = Object.fromEntries(options.map(([, key = '', value = '']) => [key, value.replace(/^''$/, '')]))
    expect(Object.keys(defaults).length).toBe(yaml.match(/^ {4}type:/gm)?.length)
    const given = await run({ stack: 'prod', config: { ...defaults, codeDirectory } })
    const without = await run({ stack: 'prod', config: { codeDirectory } })
    expect(given.resources).toEqual(without.resources)
    expect(given.outputs).toEqual(without.outputs)
  })

  it('gives the embedder what it needs and no more', async () => {
    const policy = (resources: Resource[], each: string) =>
      String(only(resources, 'aws:iam/rolePolicy:RolePolicy', `roles-${each}-policy`).inputs['policy'])
    const bedrock = (await run({ stack: 'prod', config: { embedder: 'bedrock' } })).resources
    const model = 'arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0'
    for (const each of ['producer', 'query', 'api']) expect(policy(bedrock, each)).toContain(`["${model}"]`)
    expect(policy(bedrock, 'compactor')).not.toContain('bedrock')
    const config = { embedder: 'openai', openaiApiKey: 'sk-secret' }
    const openai = (await run({ stack: 'prod', config, secrets: ['openaiApiKey'] })).resources
    expect(policy(openai, 'producer')).toContain(':parameter/siltstone/prod/openai-api-key"')
    expect(policy(openai, 'compactor')).not.toContain('ssm:')
    const functions = all(openai, 'aws:lambda/function:Function')
    expect(JSON.stringify(functions.map(({ inputs }) => inputs))).not.toContain('sk-secret')
    await expect(run({ config: { embedder: 'openai' } })).rejects.toThrow('set openaiApiKey')
  })

  it('says what is wrong with its configuration', async () => {
    await expect(run({ config: { environment: 'staging' } })).rejects.toThrow(
      'environment is "staging": use one of dev, test, prod',
    )
  })

  it('keeps stacks of one account apart', async () => {
    const names = async (stack: string) =>
      custom(await run({ stack })).flatMap(({ type, inputs }) =>
        ['name', 'bucket', 'dashboardName'].flatMap((key) =>
          typeof inputs[key] === 'string' && !['RolePolicy'].includes(shortType(type)) ? [inputs[key]] : [],
        ),
      )
    const [dev, prod] = [await names('dev'), new Set(await names('prod'))]
    expect(dev.length).toBeGreaterThan(30)
    expect(dev.filter((name) => prod.has(name))).toEqual([])
  })
})

describe('the bootstrap program', () => {
  it('creates what a deployer needs, and no resource of a stack', async () => {
    const { resources, outputs } = await bootstrap({ githubRepository: 'owner/name' })
    const types = new Set(resources.filter((each) => each.custom).map(({ type }) => shortType(type)))
    expect([...types].toSorted()).toEqual(['OpenIdConnectProvider', 'Policy', 'Role', 'RolePolicyAttachment'])
    expect(outputs).toMatchObject({
      deploy_role_arn: 'arn:aws:iam::111122223333:role/deploy-siltstone',
      permissions_boundary_arn: 'arn:aws:iam::111122223333:policy/siltstone-runtime-boundary',
    })
  })
})
