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
