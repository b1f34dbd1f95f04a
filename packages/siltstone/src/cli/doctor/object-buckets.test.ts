import { describe, expect, it } from 'vitest'
import type { ObjectBucketFacts, ObjectFacts } from '../../drivers/aws/inspect-objects.ts'
import { unavailable } from '../../errors.ts'
import { checksOfObjects } from './object-buckets.ts'

const ARN = 'arn:aws:sqs:us-east-1:111122223333:uploads'
const told = (more: object = {}) => ({
  queueArn: ARN,
  events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'],
  prefix: 'uploads/',
  suffix: '',
  ...more,
})
const good: ObjectBucketFacts = {
  bucket: 'media',
  reachable: { value: true },
  notifications: { value: { queues: [told()], hasEventBridge: false } },
  cors: { value: [{ AllowedOrigins: ['https://app.example'], AllowedMethods: ['PUT'], ExposeHeaders: ['etag'] }] },
  versioning: { value: 'off' },
  lifecycle: { value: [] },
  checksums: { value: true },
}
const queue: NonNullable<ObjectFacts['queue']> = {
  value: { arn: ARN, visibilityS: 1_800, retentionS: 345_600, maxReceiveCount: 5, isFifo: false },
}
const checks = (facts: Partial<ObjectBucketFacts>, more: Partial<ObjectFacts> = { queue }) =>
  checksOfObjects({ buckets: [{ ...good, ...facts }], ...more }, 'https://sqs/uploads')
const found = (facts: Partial<ObjectBucketFacts>, more?: Partial<ObjectFacts>) =>
  checks(facts, more)
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ name, verdict }) => `${verdict} ${name}`)
const queues = (...all: object[]): Partial<ObjectBucketFacts> => ({
  notifications: { value: { queues: all.map((one) => told(one)), hasEventBridge: false } },
})

describe('doctor on buckets of objects', () => {
  it('has nothing to say about a good setup, with and without a queue, and a remedy for each finding', () => {
    expect(found({})).toEqual([])
    expect(found({ notifications: { value: { queues: [], hasEventBridge: false } } }, {})).toEqual([])
    for (const { verdict, remedy } of [...checks(queues()), ...checks({ checksums: { value: false } })])
      expect(verdict === 'ok').toBe(remedy === undefined)
  })

  it('fails where a bucket or the queue cannot be reached, and warns of what may not be read', () => {
    const error = unavailable('access-denied', 'no')
    const { bucket } = good
    expect(checksOfObjects({ buckets: [{ bucket, reachable: { error } }] }).map(({ verdict }) => verdict)).toEqual([
      'fail',
      'ok',
    ])
    expect(found({}, { queue: { error } })).toEqual(['fail objects queue'])
    expect(found({ cors: { error }, notifications: { error }, versioning: { error } })).toEqual([
      'warn objects media: notifications',
      'warn objects media: CORS',
      'warn objects media: versioning',
    ])
    expect(found({ checksums: { error } })).toEqual(['fail objects media: checksums'])
  })

  it('tells of changes that nobody tells of', () => {
    const name = 'objects media: notifications'
    expect(found(queues())).toEqual([`fail ${name}`])
    expect(found(queues({ queueArn: `${ARN}-other` }))).toEqual([`fail ${name}`])
    expect(found(queues({}, { queueArn: `${ARN}-other` }))).toEqual([])
    expect(found(queues({ events: ['s3:ObjectCreated:Put'] }))).toEqual([`warn ${name}`])
    expect(found(queues({ suffix: '.pdf' }))).toEqual([`warn ${name}`])
    expect(found({}, {})).toEqual([`warn ${name}`])
    // Records of what expires stay; without this event its deletion by somebody would not be told from it.
    const lifecycle = { value: [{ Status: 'Enabled' as const, Expiration: { Days: 30 } }] }
    expect(found({ lifecycle })).toEqual([`warn ${name}`])
    const all = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*']
    expect(found({ lifecycle, ...queues({ events: all }) })).toEqual([])
    expect(found({ notifications: { value: { queues: [], hasEventBridge: true } } })).toEqual([])
  })

  it('tells of CORS that is too wide or not enough, of checksums that are not kept, and of a queue without dead letters', () => {
    const rule = { AllowedOrigins: ['https://app.example'], AllowedMethods: ['PUT'] }
    expect(found({ cors: { value: [] } })).toEqual([])
    expect(found({ cors: { value: [rule] } })).toEqual(['warn objects media: CORS'])
    const wide = { ...rule, AllowedOrigins: ['*'], ExposeHeaders: ['ETag'] }
    expect(found({ cors: { value: [wide] } })).toEqual(['warn objects media: CORS'])
    expect(found({ checksums: { value: false } })).toEqual(['warn objects media: checksums'])
    const bare = {
      value: { ...queue, arn: ARN, visibilityS: 900, retentionS: 1, maxReceiveCount: undefined, isFifo: false },
    }
    expect(found({}, { queue: bare })).toEqual(['warn objects queue'])
  })
})
