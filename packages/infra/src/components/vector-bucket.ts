import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { InvalidArgument } from '../errors.ts'
import { DELTA_PREFIX, INITIAL_OBJECTS, LATEST_POINTER_KEY, SNAPSHOT_PREFIX } from '../keys.ts'
import { type LifecycleOptions, lifecycleRules } from '../lifecycle.ts'
import { bucketName, type Environment, isProtected, purposeBucketName } from '../names.ts'
import { bucketPolicy } from '../policy/resource-policies.ts'
import { common, type CommonArgs, policyText, whereabouts } from './common.ts'

export interface VectorBucketArgs extends CommonArgs {
  /** With `purpose`: the bucket is `{project}-{environment}-vector-{purpose}`, for several buckets of one project. */
  project?: string
  purpose?: string
  /** End of the name, for repeated tests: names of deleted buckets stay taken for some time. */
  suffix?: string
  /** Customer key instead of AES256. Its policy must let this account's roles use it. */
  kmsKeyArn?: pulumi.Input<string>
  lifecycle?: LifecycleOptions
  /**
   * Create placeholders and the store's descriptor (default). False for a deployer without access to objects: the first
   * program that opens the store writes the descriptor, and the placeholders are optional.
   */
  initialObjects?: boolean
  /** Delete all objects when the bucket is destroyed. Allowed only in `dev`, where it is the default. */
  forceDestroy?: boolean
}

/**
 * A private, versioned, encrypted bucket for one store: `chromadb-vectors-{stack}-{account}`, or
 * `{project}-{environment}-vector-{purpose}`. Policies of deployers and services know the second form by the project
 * (`DeployPolicies`).
 *
 * Outputs: `bucket_name`, `bucket_arn`, `delta_prefix`, `snapshot_prefix`, `latest_pointer_key`, `lifecycle_rules`.
 * @throws InvalidArgument
 */
export class VectorBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>
  readonly bucketArn: pulumi.Output<string>
  readonly deltaPrefix = DELTA_PREFIX
  readonly snapshotPrefix = SNAPSHOT_PREFIX
  readonly latestPointerKey = LATEST_POINTER_KEY
  readonly lifecycleRules: pulumi.Output<aws.types.output.s3.BucketLifecycleConfigurationRule[] | undefined>

  constructor(name: string, args: VectorBucketArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:VectorBucket', name, {}, opts)
    const { environment, stack, tags } = common(args)
    const rules = lifecycleRules(args.lifecycle)
    const forceDestroy = args.forceDestroy ?? !isProtected(environment)
    if (forceDestroy && isProtected(environment)) {
      throw new InvalidArgument(
        'forceDestroy',
        true,
        `a bucket of environment ${environment} keeps its data: omit forceDestroy, or use environment dev`,
      )
    }
    const parent = { parent: this }
    const { account } = whereabouts(parent)
    const named = namedByPurpose(args, environment)
    const wanted = named ?? account.apply((id) => bucketName(stack, id, args.suffix))
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
    const versioning = new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { bucket, versioningConfiguration: { status: 'Enabled' } },
      { ...parent, protect },
    )
    new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket,
        rules: [
          args.kmsKeyArn === undefined
            ? { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }
            : {
                applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: args.kmsKeyArn },
                // A request to the key now and then per bucket, not one per object.
                bucketKeyEnabled: true,
              },
        ],
      },
      parent,
    )
    const lifecycle = new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { bucket, rules, transitionDefaultMinimumObjectSize: 'all_storage_classes_128K' },
      // S3 refuses rules on noncurrent versions before versioning is enabled.
      { ...parent, dependsOn: [versioning] },
    )
    new aws.s3.BucketPolicy(
      `${name}-policy`,
      { bucket, policy: policyText(made.arn.apply(bucketPolicy)) },
      // S3 refuses concurrent changes of the policy and the public access block.
      { ...parent, dependsOn: [access] },
    )
    if (args.initialObjects ?? true) createInitialObjects(name, bucket, { ...parent, dependsOn: [versioning] })

    this.bucketName = bucket
    this.bucketArn = made.arn
    this.lifecycleRules = lifecycle.rules
    this.registerOutputs({
      bucket_name: this.bucketName,
      bucket_arn: this.bucketArn,
      delta_prefix: this.deltaPrefix,
      snapshot_prefix: this.snapshotPrefix,
      latest_pointer_key: this.latestPointerKey,
      lifecycle_rules: this.lifecycleRules,
    })
  }
}

function namedByPurpose({ project, purpose, suffix }: VectorBucketArgs, environment: Environment): string | undefined {
  if (project !== undefined && purpose !== undefined)
    return purposeBucketName({ project, purpose }, environment, suffix)
  if (project !== undefined) throw new InvalidArgument('purpose', undefined, 'with project, say what the bucket is for')
  if (purpose !== undefined) throw new InvalidArgument('project', undefined, 'with purpose, name the project')
  return undefined
}

/**
 * After creation they belong to the store: changes of them are ignored, and destroying the stack leaves them in the
 * bucket.
 */
function createInitialObjects(name: string, bucket: pulumi.Output<string>, opts: pulumi.CustomResourceOptions): void {
  for (const [key, content] of Object.entries(INITIAL_OBJECTS)) {
    new aws.s3.BucketObjectv2(
      `${name}-${key.replaceAll(/[^a-z]+/g, '-')}`,
      { bucket, key, content, contentType: 'text/plain' },
      { ...opts, ignoreChanges: ['content', 'contentType', 'etag', 'metadata', 'tags'], retainOnDelete: true },
    )
  }
}
