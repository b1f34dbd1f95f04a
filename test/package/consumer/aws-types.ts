/** The types of `siltstone/aws` compile without the AWS SDK. */
import { openS3Environment, type S3EnvironmentOptions } from 'siltstone/aws'

export const open = (options: S3EnvironmentOptions) => openS3Environment('s3://bucket/store', options)
