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
