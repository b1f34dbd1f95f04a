/** What is loaded when a place is in a bucket. */
export { openS3Blobs } from './open-blobs.ts'
export { openSqsQueue } from './open-queue.ts'
export { openS3Environment } from './environment.ts'
export { inspectAws } from './inspect.ts'
export { inspectObjects } from './inspect-objects.ts'
export { makeS3Bucket, removeS3Bucket } from './make-bucket.ts'
export { requestSigner } from './sign-request.ts'
