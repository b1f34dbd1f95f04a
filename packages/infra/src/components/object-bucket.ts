import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger, InvalidArgument } from '../errors.ts'
import { UPLOAD_PREFIX } from '../keys.ts'
import type { LifecycleRule } from '../lifecycle.ts'
import { isProtected, objectBucketName } from '../names.ts'
import { objectBucketPolicy } from '../policy/resource-policies.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'

export interface ObjectBucketArgs extends CommonArgs {
  /** End of the name, for repeated tests. */
  suffix?: string
  /** Customer key instead of AES256. */
  kmsKeyArn?: pulumi.Input<string>
  /** Pages of these origins may upload and download: `https://app.example`. Default: none. */
  corsOrigins?: readonly string[]
  /** Days after which originals are deleted, by prefix. Default: none. */
  expireDays?: Readonly<Record<string, number>>
  /** Days after which the parts of uploads that were not completed are deleted. Default 7. */
  abortUploadDays?: number
  /** Delete all objects when the bucket is destroyed. Allowed only in `dev`, where it is the default. */
  forceDestroy?: boolean
}

/** What a page has to read of an answer, beyond what browsers show by default. */
const EXPOSED = [
  'ETag',
  'Location',
  'Accept-Ranges',
  'Content-Range',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha256',
]
const MAX_DAYS = 36_500

/**
 * A private, encrypted bucket for users' objects: `chromadb-vectors-{stack}-{account}-objects`. It keeps no versions: what is
 * deleted is gone, with its records.
 *
 * Outputs: `bucket_name`, `bucket_arn`, `upload_prefix`.
 * @throws InvalidArgument
 */
export class ObjectBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>
  readonly bucketArn: pulumi.Output<string>
  readonly uploadPrefix = UPLOAD_PREFIX

  constructor(name: string, args: ObjectBucketArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:ObjectBucket', name, {}, opts)
    const { environment, stack, tags } = common(args)
    const origins = checkOrigins(args.corsOrigins ?? [])
    const rules = lifecycleOf(args)
    const forceDestroy = args.forceDestroy ?? !isProtected(environment)
    if (forceDestroy && isProtected(environment))
      throw new InvalidArgument(
        'forceDestroy',
        true,
        `a bucket of environment ${environment} keeps its data: omit forceDestroy, or use environment dev`,
      )
    const parent = { parent: this }
    const { account } = whereabouts(parent)
    const wanted = account.apply((id) => objectBucketName(stack, id, args.suffix))
    const protect = isProtected(environment)
    const made = new aws.s3.Bucket(`${name}-bucket`, { bucket: wanted, forceDestroy, tags }, { ...parent, protect })
    const bucket = made.bucket
    new aws.s3.BucketOwnershipControls(
      `${name}-ownership`,
      { bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } },
      parent,
    )
    const access = new aws.s3.BucketPublicAccessBlock(
      `${name}-access`,
      { bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      parent,
    )
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      { bucket, rules: [encryptionOf(args.kmsKeyArn)] },
      parent,
    )
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { bucket, rules, transitionDefaultMinimumObjectSize: 'all_storage_classes_128K' },
      parent,
    )
    if (origins.length > 0)
      new aws.s3.BucketCorsConfiguration(
        `${name}-cors`,
        {
          bucket,
          corsRules: [
            {
              allowedOrigins: origins,
              allowedMethods: ['GET', 'HEAD', 'PUT', 'POST'],
              allowedHeaders: ['*'],
              exposeHeaders: EXPOSED,
              maxAgeSeconds: 3_000,
            },
          ],
        },
        parent,
      )
    new aws.s3.BucketPolicy(
      `${name}-policy`,
      { bucket, policy: policyText(made.arn.apply(objectBucketPolicy)) },
      // S3 refuses concurrent changes of the policy and the public access block.
      { ...parent, dependsOn: [access] },
    )
    this.bucketName = bucket
    this.bucketArn = made.arn
    this.registerOutputs({
      bucket_name: this.bucketName,
      bucket_arn: this.bucketArn,
      upload_prefix: this.uploadPrefix,
    })
  }
}

function encryptionOf(kmsKeyArn: pulumi.Input<string> | undefined) {
  if (kmsKeyArn === undefined) return { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }
  return {
    applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: kmsKeyArn },
    // A request to the key now and then per bucket, not one per object.
    bucketKeyEnabled: true,
  }
}

function checkOrigins(origins: readonly string[]): string[] {
  for (const origin of origins) {
    const isOrigin = URL.canParse(origin) && new URL(origin).origin === origin
    if (!isOrigin)
      throw new InvalidArgument(
        'corsOrigins',
        origin,
        'give origins such as https://app.example; * would be every page',
      )
  }
  return [...origins]
}

/** No rule is for all objects but that for parts: what was made of objects goes with them. */
function lifecycleOf({ expireDays = {}, abortUploadDays = 7 }: ObjectBucketArgs): LifecycleRule[] {
  return [
    ...Object.entries(expireDays).map(([prefix, days]): LifecycleRule => {
      if (prefix === '' || prefix.startsWith('derived/'))
        throw new InvalidArgument(
          'expireDays',
          prefix,
          'name a prefix of uploads: what was made of objects goes with them',
        )
      return {
        id: `expire-${prefix}`,
        status: 'Enabled',
        filter: { prefix },
        expiration: { days: checkInteger(`expireDays.${prefix}`, days, 1, MAX_DAYS) },
      }
    }),
    {
      id: 'abort-uploads',
      status: 'Enabled',
      filter: {},
      abortIncompleteMultipartUpload: {
        daysAfterInitiation: checkInteger('abortUploadDays', abortUploadDays, 1, MAX_DAYS),
      },
    },
  ]
}
