/**
 * The clients of AWS that are used: optional packages, which are loaded when they are needed. They are imported by
 * calls. If this module exported them from the packages, a bundle that leaves the packages out would import them at its start,
 * although the module itself is loaded later, and would not start where they are missing.
 */

/** For a transcriber. */
export async function loadAwsClients() {
  const [s3, transcribe] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/client-transcribe')])
  const { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } = s3
  const { DeleteTranscriptionJobCommand, GetTranscriptionJobCommand, StartTranscriptionJobCommand, TranscribeClient } =
    transcribe
  return {
    DeleteObjectCommand,
    GetObjectCommand,
    PutObjectCommand,
    S3Client,
    DeleteTranscriptionJobCommand,
    GetTranscriptionJobCommand,
    StartTranscriptionJobCommand,
    TranscribeClient,
  }
}

/** For vectors of images. */
export async function loadBedrock() {
  const { BedrockRuntimeClient, InvokeModelCommand } = await import('@aws-sdk/client-bedrock-runtime')
  return { BedrockRuntimeClient, InvokeModelCommand }
}
