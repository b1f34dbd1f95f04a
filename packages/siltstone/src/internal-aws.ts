/**
 * The parts of the drivers for AWS, with the types of the AWS SDK: for the other packages of this repository. It is not
 * covered by semantic versioning.
 */
export type { ClientOptions, HasMiddleware } from './drivers/aws/client-config.ts'
export { dynamoDbClient } from './drivers/aws/dynamodb-client.ts'
export { KEY_ATTRIBUTE } from './drivers/aws/dynamodb-item.ts'
export { DynamoDbLeases } from './drivers/aws/dynamodb-leases.ts'
export { openS3Blobs } from './drivers/aws/open-blobs.ts'
export { openSqsQueue } from './drivers/aws/open-queue.ts'
export { openS3Environment } from './drivers/aws/environment.ts'
export { ObjectLeases } from './drivers/aws/object-leases.ts'
export { Requests } from './drivers/aws/aws-requests.ts'
export { s3Client } from './drivers/aws/s3-client.ts'
export { S3ObjectStore } from './drivers/aws/s3-object-store.ts'
export { parseS3Place } from './drivers/aws/s3-place.ts'
export { sqsClient } from './drivers/aws/sqs-client.ts'
export { SqsQueue } from './drivers/aws/sqs-queue.ts'
