export type {
  ProcessContext,
  ProcessedRecord,
  Processor,
  RandomAccess,
  RecordKind,
  ScratchFolder,
  StepSummary,
  Summary,
  TranscriptSegment,
} from './processor.ts'
export { serveObjects } from './serve-objects.ts'
export { type RequestListener, s3Face, type S3FaceOptions } from './s3/face.ts'
export { type RunningS3Server, type S3ServerOptions, startS3Server } from './s3/server.ts'
export { type AccessKey, AccessKeys } from './s3/access-keys.ts'
export { Objects, type ObjectContent, type PutBody, type PutOptions } from './objects.ts'
export { openObjects, type OpenObjectsOptions } from './open-objects.ts'
export type { Presigned, PresignRequest } from './presign.ts'
export { S3Service, type S3ServiceSettings, s3ServiceSettings, type S3UploadResult } from './s3-service.ts'
export { objectsCommands } from './commands.ts'
