/**
 * Transcripts by Amazon Transcribe, which reads audio from a bucket and writes what it understood into one:
 * 1. The audio is put below a prefix of the bucket, as a WAV file.
 * 2. A job is started, and asked for until it has ended.
 * 3. What it wrote beside the audio is read.
 * 4. Both objects and the job are deleted, also after a failure.
 * A process that is killed, or a call that is aborted, may leave them: a job that runs cannot be deleted, and writes its result
 * later. Let a lifecycle rule delete what is older than a day below the prefix.
 *
 * | what happens | error |
 * |---|---|
 * | no credentials, or not the permissions | `unauthorized` (transcriber-key) |
 * | no such bucket | `not-found` (transcriber-bucket) |
 * | too many jobs or requests, 5xx, no answer, a job that takes longer than `timeoutMs` | `unavailable` (transcriber-unavailable) |
 * | a request or an audio that is refused | `invalid` (transcription-refused) |
 * | a package that is not installed | `unsupported` (transcriber-missing) |
 */
import { invalid, isSiltstoneError, notFound, unauthorized, unavailable, unsupported } from 'siltstone/passages'
import { loadAwsClients } from '../host/aws-clients.ts'
import { monotonicMs, sleep } from '../host/clock.ts'
import { isMissing } from '../host/optional.ts'
import { uniqueId } from '../host/unique-id.ts'
import { SAMPLE_RATE_HZ } from '../media/speech-windows.ts'
import type { TranscriptSegment } from '../processor.ts'
import { segmentsOfAwsResult } from './aws-result.ts'
import { samplesOf, type Transcriber, wavOf } from './transcriber.ts'

export interface AwsTranscriberOptions {
  /** In the region of the jobs. */
  bucket: string
  /** Where the audio and the results are for the time of a job. Default `derived/transcribe/`, which object workers leave alone. */
  prefix?: string
  /** Default: as the AWS SDK finds it (`AWS_REGION`, the profile). */
  region?: string
  /** As Transcribe names it: `en-US`, `de-DE`. Default: Transcribe finds out. */
  language?: string
  /** Of both services, for tests and emulators. Default: those of AWS. */
  endpoint?: string
  /** Between two questions how a job stands. Default 3,000. */
  pollMs?: number
  /** Default 9 minutes: processors in processes of their own have ten for a step. */
  timeoutMs?: number
}

const POLL_MS = 3_000
const TIMEOUT_MS = 9 * 60_000
const CLEAN_UP_WITHIN_MS = 15_000

/** Types of optional packages are no part of the declarations that users compile with. */
type Sdk = Awaited<ReturnType<typeof loadAwsClients>>

/**
 * The credentials are those of the AWS SDK's chain. A call is one job, so each is billed by itself.
 * @throws SiltstoneError `invalid` (transcriber-option) for a bucket or a prefix that cannot be one
 * @param load for tests: the packages instead of the installed ones
 */
export function awsTranscriber(
  options: AwsTranscriberOptions,
  load: () => Promise<unknown> = loadAwsClients,
): Transcriber {
  const { bucket, prefix = 'derived/transcribe/', language } = options
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw invalid('transcriber-option', `bucket ${JSON.stringify(bucket)} is no name of a bucket of S3`, {
      field: 'bucket',
    })
  // What Transcribe accepts as a key of its output.
  if (!/^(?:[\w.!*'()&$@=;:+,? -]+\/)*$/.test(prefix) || prefix.length > 500)
    throw invalid('transcriber-option', `prefix ${JSON.stringify(prefix)} is no prefix that ends with "/"`, {
      field: 'prefix',
    })
  let services: Promise<Services> | undefined
  const opened = async (): Promise<Services> => {
    services ??= loadSdk(load).then((sdk) => new Services(sdk, options, prefix))
    try {
      return await services
    } catch (error) {
      services = undefined
      throw error
    }
  }
  const close = async () => (await services)?.close()
  return {
    name: `aws-transcribe/${language ?? 'auto'}`,
    async transcribe(pcm, signal) {
      if (pcm.length === 0) return []
      signal.throwIfAborted()
      return (await opened()).transcribe(pcm, signal)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** @throws SiltstoneError `unsupported` (transcriber-missing) */
async function loadSdk(load: () => Promise<unknown>): Promise<Sdk> {
  try {
    return (await load()) as Sdk
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    const remedy = 'npm install @aws-sdk/client-transcribe @aws-sdk/client-s3'
    throw unsupported('transcriber-missing', `Amazon Transcribe needs its clients: ${remedy}`, { cause })
  }
}

class Services {
  readonly #sdk: Sdk
  readonly #options: AwsTranscriberOptions
  readonly #prefix: string
  readonly #transcribe: InstanceType<Sdk['TranscribeClient']>
  readonly #s3: InstanceType<Sdk['S3Client']>

  constructor(sdk: Sdk, options: AwsTranscriberOptions, prefix: string) {
    const { region, endpoint } = options
    const config = { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
    this.#sdk = sdk
    this.#options = options
    this.#prefix = prefix
    this.#transcribe = new sdk.TranscribeClient(config)
    this.#s3 = new sdk.S3Client({ ...config, forcePathStyle: endpoint !== undefined })
  }

  close(): void {
    this.#transcribe.destroy()
    this.#s3.destroy()
  }

  async transcribe(pcm: Float32Array, signal: AbortSignal): Promise<TranscriptSegment[]> {
    const job = `siltstone-${uniqueId()}`
    let segments: TranscriptSegment[]
    try {
      segments = await this.#run(job, pcm, signal)
    } catch (error) {
      // What failed first is what the caller has to know.
      await this.#cleanUp(job).catch(() => undefined)
      signal.throwIfAborted()
      throw translated(error)
    }
    try {
      await this.#cleanUp(job)
    } catch (error) {
      throw translated(error, `what was said is left below s3://${this.#options.bucket}/${this.#prefix}${job}`)
    }
    return segments
  }

  async #run(job: string, pcm: Float32Array, signal: AbortSignal): Promise<TranscriptSegment[]> {
    const { bucket, language } = this.#options
    const sdk = this.#sdk
    const [audio, result] = this.#keys(job)
    const sent = { abortSignal: signal }
    const body = wavOf(samplesOf(pcm), SAMPLE_RATE_HZ)
    const put = { Bucket: bucket, Key: audio, Body: body, ContentType: 'audio/wav' }
    await this.#s3.send(new sdk.PutObjectCommand(put), sent)
    await this.#transcribe.send(
      new sdk.StartTranscriptionJobCommand({
        TranscriptionJobName: job,
        Media: { MediaFileUri: `s3://${bucket}/${audio}` },
        MediaFormat: 'wav',
        MediaSampleRateHertz: SAMPLE_RATE_HZ,
        OutputBucketName: bucket,
        OutputKey: result,
        ...(language === undefined ? { IdentifyLanguage: true } : { LanguageCode: language as 'en-US' }),
      }),
      sent,
    )
    await this.#ended(job, signal)
    const got = await this.#s3.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: result }), sent)
    return segmentsOfAwsResult((await got.Body?.transformToString()) ?? '', (pcm.length / SAMPLE_RATE_HZ) * 1_000)
  }

  async #ended(job: string, signal: AbortSignal): Promise<void> {
    const { pollMs = POLL_MS, timeoutMs = TIMEOUT_MS } = this.#options
    for (const endMs = monotonicMs() + timeoutMs; ; ) {
      await sleep(pollMs, signal)
      const command = new this.#sdk.GetTranscriptionJobCommand({ TranscriptionJobName: job })
      const { TranscriptionJob: found } = await this.#transcribe.send(command, { abortSignal: signal })
      const state = found?.TranscriptionJobStatus
      if (state === 'COMPLETED') return
      if (state === 'FAILED')
        throw invalid('transcription-refused', `Amazon Transcribe: ${found?.FailureReason ?? 'the job failed'}`)
      if (monotonicMs() > endMs)
        throw unavailable(
          'transcriber-unavailable',
          `The job ${job} of Amazon Transcribe is ${state} after ${timeoutMs} ms.`,
        )
    }
  }

  async #cleanUp(job: string): Promise<void> {
    const sent = { abortSignal: AbortSignal.timeout(CLEAN_UP_WITHIN_MS) }
    const removals: Promise<unknown>[] = this.#keys(job).map((Key) =>
      this.#s3.send(new this.#sdk.DeleteObjectCommand({ Bucket: this.#options.bucket, Key }), sent),
    )
    const command = new this.#sdk.DeleteTranscriptionJobCommand({ TranscriptionJobName: job })
    removals.push(this.#transcribe.send(command, sent))
    const failed = (await Promise.allSettled(removals)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  /** Of the audio and of the result. */
  #keys(job: string): [string, string] {
    return [`${this.#prefix}${job}.wav`, `${this.#prefix}${job}.json`]
  }
}

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number }
}

const MAY_NOT =
  /^(?:AccessDenied|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|ExpiredToken|InvalidClientTokenId|InvalidAccessKeyId|NotAuthorized|CredentialsProvider|TokenProvider)/
const LATER =
  /^(?:LimitExceeded|Throttl|TooManyRequests|SlowDown|Conflict|NotFoundException|InternalFailure|ServiceUnavailable)/

function translated(error: unknown, consequence?: string): unknown {
  if (isSiltstoneError(error) || !(error instanceof Error)) return error
  const { name, message, $metadata: { httpStatusCode: status } = {} } = error as SdkError
  const more = consequence === undefined ? '' : `; ${consequence}`
  const said = `Amazon Transcribe: ${name}: ${message.slice(0, 300)}${more}`
  const cause = { cause: error }
  if (MAY_NOT.test(name) || status === 401 || status === 403) return unauthorized('transcriber-key', said, cause)
  if (name === 'NoSuchBucket') return notFound('transcriber-bucket', said, cause)
  if (/region is missing/i.test(message))
    return invalid('transcriber-option', `${said}. Set AWS_REGION or \`region\`.`, { ...cause, field: 'region' })
  const isLater = status === undefined || status === 408 || status === 429 || status >= 500 || LATER.test(name)
  return isLater ? unavailable('transcriber-unavailable', said, cause) : invalid('transcription-refused', said, cause)
}
