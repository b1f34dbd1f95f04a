import { at, each, isDev, refusesPlainHttp, type Rule } from './rule.ts'

/** Storage classes that are readable at once. */
const READABLE = new Set(['STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'])

export const STORAGE_RULES: readonly Rule[] = [
  {
    name: 'bucket-is-private',
    description: 'A bucket blocks public access in all four ways',
    level: 'mandatory',
    check: each('s3.Bucket', ({ props }, stack) => {
      const [block] = stack.where('s3.BucketPublicAccessBlock', 'bucket', props['bucket'])
      if (block === undefined) return 'add a BucketPublicAccessBlock'
      const open = ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'].filter(
        (key) => block.props[key] !== true,
      )
      return open.length === 0 ? undefined : `set ${open.join(', ')}`
    }),
  },
  {
    name: 'bucket-is-versioned',
    description: 'A bucket keeps old versions of overwritten and deleted objects',
    level: 'mandatory',
    check: each('s3.Bucket', ({ props }, stack) =>
      stack
        .where('s3.BucketVersioning', 'bucket', props['bucket'])
        .some((each) => at(each.props, 'versioningConfiguration', 'status') === 'Enabled')
        ? undefined
        : 'enable versioning',
    ),
  },
  {
    name: 'bucket-is-encrypted',
    description: 'A bucket configures its encryption',
    level: 'mandatory',
    check: each('s3.Bucket', ({ props }, stack) =>
      stack
        .where('s3.BucketServerSideEncryptionConfiguration', 'bucket', props['bucket'])
        .some((each) => at(each.props, 'rules', 0, 'applyServerSideEncryptionByDefault', 'sseAlgorithm') !== undefined)
        ? undefined
        : 'set an encryption',
    ),
  },
  {
    name: 'bucket-is-https-only',
    description: 'A bucket refuses plain HTTP',
    level: 'mandatory',
    check: each('s3.Bucket', ({ props }, stack) =>
      stack.where('s3.BucketPolicy', 'bucket', props['bucket']).some((each) => refusesPlainHttp(each.props['policy']))
        ? undefined
        : 'deny aws:SecureTransport false in its policy',
    ),
  },
  {
    name: 'bucket-keeps-its-data',
    description: 'Only dev may be destroyed together with its data',
    level: 'mandatory',
    check: each('s3.Bucket', (bucket) => {
      if (isDev(bucket)) return undefined
      if (bucket.props['forceDestroy'] === true) return 'forceDestroy is for dev'
      return bucket.protect ? undefined : 'protect it'
    }),
  },
  {
    name: 'lifecycle-leaves-the-present-alone',
    description:
      'Lifecycle rules neither expire nor archive current objects: only the product knows which are no longer needed',
    level: 'mandatory',
    check: each('s3.BucketLifecycleConfiguration', ({ props }) => {
      const rules = (props['rules'] ?? []) as Record<string, unknown>[]
      for (const rule of rules) {
        const id = String(rule['id'])
        if (at(rule, 'expiration', 'days') !== undefined || at(rule, 'expiration', 'date') !== undefined) {
          return `rule ${id} expires current objects`
        }
        const classes = ((rule['transitions'] ?? []) as { storageClass?: string }[]).map(
          (one) => one.storageClass ?? '',
        )
        const slow = classes.find((one) => !READABLE.has(one))
        if (slow !== undefined) return `rule ${id} moves current objects to ${slow}, where they cannot be read at once`
      }
      return undefined
    }),
  },
  {
    name: 'table-keeps-its-data',
    description: 'A table is billed per request and restorable, and protected outside dev',
    level: 'mandatory',
    check: each('dynamodb.Table', (table) => {
      if (table.props['billingMode'] !== 'PAY_PER_REQUEST')
        return 'use PAY_PER_REQUEST: an idle table then costs nothing'
      if (at(table.props, 'pointInTimeRecovery', 'enabled') !== true) return 'enable point-in-time recovery'
      if (isDev(table)) return undefined
      if (table.props['deletionProtectionEnabled'] !== true) return 'enable deletion protection'
      return table.protect ? undefined : 'protect it'
    }),
  },
]
