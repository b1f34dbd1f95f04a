import { beforeAll, describe, expect, it } from 'vitest'
import { RULES } from '../policy-pack/policies.ts'
import { type Declared, Stack } from '../policy-pack/rule.ts'
import type { Resource } from '../src/testing/index.ts'
import { analyze } from './support/analyzer.ts'
import { bootstrap, run } from './support/program.ts'

const BOUNDARY = 'arn:aws:iam::111122223333:policy/siltstone-runtime-boundary'
let resources: Resource[]
let admin: Resource[]
beforeAll(async () => {
  resources = (await run({ stack: 'prod', config: { permissionsBoundaryArn: BOUNDARY } })).resources
  admin = (await bootstrap({ githubRepository: 'owner/name' })).resources
})

const declared = (all: readonly Resource[]): Declared[] =>
  all
    .filter(({ custom }) => custom)
    .map(({ type, name, urn, state, protect }) => ({ type, name, urn, props: structuredClone(state), protect }))

function violations(all: readonly Declared[]): string[] {
  const stack = new Stack(all)
  return RULES.flatMap(({ name, check }) => check(stack).map(({ message }) => `${name}: ${message}`))
}

type Props = Record<string, unknown>
const replace = (key: string, from: string, to: string) => (props: Props) => {
  const before = String(props[key])
  if (!before.includes(from)) throw new Error(`${key} has no ${from}: the mistake would be none`)
  props[key] = before.replaceAll(from, to)
}
const set = (key: string, value: unknown) => (props: Props) => {
  props[key] = value
}

/** A possible mistake in the program, and the rule that must find it. */
const MISTAKES: readonly (readonly [
  rule: string,
  resource: string,
  mistake: ((props: Props) => void) | 'remove' | 'unprotect',
])[] = [
  ['bucket-is-private', 'vectors-access', 'remove'],
  ['bucket-is-private', 'vectors-access', set('blockPublicPolicy', false)],
  ['bucket-is-versioned', 'vectors-versioning', set('versioningConfiguration', { status: 'Suspended' })],
  ['bucket-is-encrypted', 'vectors-encryption', 'remove'],
  ['bucket-is-https-only', 'vectors-policy', replace('policy', 'aws:SecureTransport', 'aws:SourceIp')],
  ['bucket-keeps-its-data', 'vectors-bucket', set('forceDestroy', true)],
  ['bucket-keeps-its-data', 'vectors-bucket', 'unprotect'],
  ['lifecycle-leaves-the-present-alone', 'vectors-lifecycle', set('rules', [{ id: 'x', expiration: { days: 7 } }])],
  [
    'lifecycle-leaves-the-present-alone',
    'vectors-lifecycle',
    set('rules', [{ id: 'x', transitions: [{ days: 90, storageClass: 'GLACIER' }] }]),
  ],
  ['table-keeps-its-data', 'locks-table', set('billingMode', 'PROVISIONED')],
  ['table-keeps-its-data', 'locks-table', set('deletionProtectionEnabled', false)],
  ['table-keeps-its-data', 'locks-table', 'unprotect'],
  ['queue-has-dead-letters', 'delta-queue', set('redrivePolicy', undefined)],
  ['queue-has-dead-letters', 'delta-queue', replace('redrivePolicy', '"maxReceiveCount":5', '"maxReceiveCount":3')],
  ['queue-has-dead-letters', 'delta-dead', set('messageRetentionSeconds', 86_400)],
  ['queue-is-encrypted-and-https-only', 'delta-dead', set('sqsManagedSseEnabled', false)],
  ['queue-is-encrypted-and-https-only', 'delta-policy', 'remove'],
  ['queue-is-open-to-one-sender', 'delta-policy', replace('policy', 'aws:SourceAccount', 'aws:PrincipalTag/x')],
  ['function-outlived-by-its-messages', 'delta-queue', set('visibilityTimeoutSeconds', 600)],
  ['function-outlived-by-its-messages', 'functions-wake-up', set('functionResponseTypes', [])],
  ['function-is-current', 'functions-api', set('architectures', ['x86_64'])],
  ['function-is-current', 'functions-api', set('runtime', 'nodejs20.x')],
  ['idle-costs-nothing', 'functions-query', set('vpcConfig', { subnetIds: ['s'] })],
  ['logs-end', 'functions-producer-logs', set('retentionInDays', 0)],
  ['logs-end', 'functions-producer-logs', 'remove'],
  ['url-asks-who-calls', 'functions-query-url', set('authorizationType', 'NONE')],
  ['policies-name-what-they-allow', 'roles-query-policy', replace('policy', '"s3:GetObject"', '"s3:*"')],
  [
    'policies-name-what-they-allow',
    'schedule-policy',
    replace('policy', 'arn:aws:lambda:us-east-1:111122223333:function:siltstone-prod-compactor', '*'),
  ],
  [
    'roles-name-who-assumes-them',
    'roles-api',
    replace('assumeRolePolicy', '{"Service":"lambda.amazonaws.com"}', '"*"'),
  ],
  ['roles-are-bounded', 'roles-api', set('permissionsBoundary', undefined)],
]

function withMistake(name: string, mistake: (typeof MISTAKES)[number][2]): Declared[] {
  const all = declared(resources)
  const at = all.findIndex((each) => each.name === name)
  const found = all[at]
  if (found === undefined) throw new Error(`the program has no ${name}`)
  if (mistake === 'remove') return all.toSpliced(at, 1)
  if (mistake === 'unprotect') return all.with(at, { ...found, protect: false })
  mistake(found.props as Props)
  return all
}

describe('CrossGuard rules', () => {
  it('find no violation in the programs', () => {
    expect(violations(declared(resources))).toEqual([])
    expect(violations(declared(admin))).toEqual([])
  })

  it.each(MISTAKES.map(([rule, resource, mistake], at) => [rule, resource, at, mistake] as const))(
    '%s finds a mistake in %s (%d)',
    (rule, resource, _, mistake) => {
      const found = violations(withMistake(resource, mistake))
      expect(found.length).toBeGreaterThan(0)
      for (const each of found) expect(each.startsWith(`${rule}: `), each).toBe(true)
    },
  )

  it('each find a mistake', () => {
    const shown = new Set(MISTAKES.map(([rule]) => rule))
    expect(RULES.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([])
  })
})

describe("the pack, served by Pulumi's own entry point", () => {
  it('accepts the program and refuses a mistake', async () => {
    const [good, bad] = await analyze([declared(resources), withMistake('vectors-access', 'remove')])
    expect(good).toEqual([])
    expect(bad).toEqual([
      {
        policy: 'bucket-is-private',
        message: expect.stringContaining('vectors-bucket: add a BucketPublicAccessBlock'),
        mandatory: true,
      },
    ])
  })
})
