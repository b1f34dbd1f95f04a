/** What `import … from '@siltstone/processors'` gives. */
export type {
  FlatMetadata,
  PictureText,
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
export { accessBytes } from './access.ts'
export { builtInProcessors } from './built-in.ts'
export { contentType } from './detect/content-type.ts'
export { emailProcessor } from './email/email-processor.ts'
export { isPermanent } from './failures.ts'
export { type CollectedFile, type CollectOptions, collectRecords } from './host/collect-records.ts'
export { type FileAccess, openFile } from './host/file-access.ts'
export { type Choice, chooseProcessor } from './registry.ts'
export { htmlProcessor } from './text/html-processor.ts'
export { openAiTranscriber, type OpenAiTranscriberOptions } from './speech/openai-transcriber.ts'
export { awsTranscriber, type AwsTranscriberOptions } from './speech/aws-transcriber.ts'
export type { Transcriber } from './speech/transcriber.ts'
export { bedrockImageEmbedder, type BedrockImageEmbedderOptions } from './image-vectors/bedrock-image-embedder.ts'
export {
  transformersImageEmbedder,
  type TransformersImageEmbedderOptions,
} from './image-vectors/transformers-image-embedder.ts'
export type { ImageEmbedder } from './image-vectors/image-embedder.ts'
export { installedTranscriber, type WhisperOptions, whisperTranscriber } from './speech/whisper-transcriber.ts'
export type { Ocr } from './ocr/ocr.ts'
export { tesseractOcr, type TesseractOptions } from './ocr/tesseract-ocr.ts'
export { subtitleProcessor } from './text/subtitle-processor.ts'
export { textProcessor } from './text/text-processor.ts'
export { officeProcessor } from './zip/office-processor.ts'
export { imageProcessor } from './image/image-processor.ts'
export { mediaProcessor } from './media/media-processor.ts'
export { pdfProcessor } from './pdf/pdf-processor.ts'
export type { ProcessorSettings } from './settings.ts'
export { isolatedProcessors, type IsolatedProcessors, type IsolationOptions } from './isolation/isolated.ts'
export { type OptionalPart, optionalParts } from './optional-parts.ts'
