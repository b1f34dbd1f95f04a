import { beforeAll, describe, expect, it } from 'vitest'
import { FUNCTIONS } from '../src/names.ts'
import { type Attempt, refusals } from './support/alone.ts'
import { codeDirectory } from './support/program.ts'

const functions = {
  environment: 'dev',
  codeDirectory: codeDirectory(),
  roles: Object.fromEntries(FUNCTIONS.map((name) => [name, { arn: 'arn:aws:iam::111122223333:role/mine' }])),
  bucketName: 'a-bucket',
  queueUrl: 'https://sqs/q',
  queueArn: 'arn:aws:sqs:us-east-1:111122223333:q',
  lockTableName: 'locks',
}
const github = { repository: 'owner/name', environment: 'production' }

/** The message names the field, the value and the remedy. */
const CASES: readonly (readonly [...Attempt, message: string])[] = [
  [
    'VectorBucket',
    { environment: 'test', forceDestroy: true },
    'forceDestroy is true: a bucket of environment test keeps its data: omit forceDestroy, or use environment dev',
  ],
  ['VectorBucket', { environment: 'staging' }, 'environment is "staging": use one of dev, test, prod'],
  ['VectorBucket', { stack: 'My_Stack' }, 'stack is "My_Stack": use lower-case letters, digits and dashes'],
  ['VectorBucket', { lifecycle: { historyDays: 0 } }, 'lifecycle.historyDays is 0: use an integer from 1 to 3650'],
  ['DeltaQueue', { visibilityTimeoutSeconds: 10 }, 'visibilityTimeoutSeconds is 10: use an integer from 60 to 43200'],
  ['DeltaQueue', { maxReceiveCount: 0 }, 'maxReceiveCount is 0: use an integer from 1 to 1000'],
  ['Functions', { ...functions, urlAuthorization: 'TOKENS' }, 'without them everybody could read and write'],
  ['Functions', { ...functions, tokens: '{}' }, "tokens are only looked at with 'TOKENS'"],
  ['Functions', { ...functions, urlAuthorization: 'NONE' }, 'urlAuthorization is "NONE": use one of AWS_IAM, TOKENS'],
  [
    'Functions',
    { ...functions, only: ['compactor'], visibilityTimeoutSeconds: 600 },
    "compactor.timeoutSeconds is 900: messages become visible again after 600 s: raise the queue's visibilityTimeoutSeconds",
  ],
  ['Functions', { ...functions, settings: { query: { memoryMb: 99_999 } } }, 'query.memoryMb is 99999'],
  ['Functions', { ...functions, codeDirectory: '/nowhere' }, 'build the functions first'],
  ['Functions', { ...functions, roles: {} }, 'roles.producer is undefined: the function needs a role'],
  ['Functions', { ...functions, logLevel: 'LOUD' }, 'logLevel is "LOUD": use one of DEBUG, INFO, WARN, ERROR'],
  ['Schedule', { compactorArn: 'arn', intervalMinutes: 0 }, 'intervalMinutes is 0: use an integer from 1 to 1440'],
  ['Monitoring', { thresholds: { 'no-such-alarm': 1 } }, 'thresholds is "no-such-alarm": there is no such alarm'],
  ['Monitoring', { email: 'ops' }, 'email is "ops": use an e-mail address'],
  [
    'Monitoring',
    { email: 'a@b', alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:t' },
    'email is "a@b": subscribe it to your topic, or omit alarmTopicArn',
  ],
]

describe('components refuse what cannot be deployed', () => {
  let messages: string[]
  beforeAll(async () => {
    messages = await refusals(CASES.map(([component, args]) => [component, args] as const))
  })

  it.each(CASES.map(([component, , message], at) => [component, message, at] as const))('%s: %s', (_, message, at) => {
    expect(messages[at]).toContain(`InvalidArgument: `)
    expect(messages[at]).toContain(message)
  })

  it('accepts the same arguments without the mistake', async () => {
    const good: Attempt[] = [
      ['VectorBucket', { environment: 'dev', forceDestroy: true }],
      ['DeltaQueue', { visibilityTimeoutSeconds: 960 }],
      ['DeployPolicies', { github }],
    ]
    expect(await refusals(good)).toEqual(['accepted', 'accepted', 'accepted'])
  })
})
