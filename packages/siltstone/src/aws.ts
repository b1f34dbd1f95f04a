/**
 * Stores in a bucket: importing this module makes `openStore('s3://bucket/prefix')` work in a bundle. It needs the
 * packages of the AWS SDK; without a bundler `openStore` imports it when it is needed.
 */
import { openS3Environment } from './drivers/aws/environment.ts'
import { registerScheme } from './drivers/open-environment.ts'

export type { ClientOptions, HasMiddleware } from './drivers/aws/client-config.ts'
export type { S3EnvironmentOptions } from './drivers/aws/environment.ts'
export type { RequestLimits } from './drivers/aws/aws-requests.ts'
export type { Environment } from './ports/environment.ts'
export { openS3Environment }

registerScheme('s3', openS3Environment)
