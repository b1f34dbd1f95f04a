import { forbidden, invalid, type SiltstoneError, unauthorized, unavailable, unsupported } from '../errors.ts'
import type { BedrockConnection, InvokeModel } from '../ports/model-host.ts'
import { importOptional } from './optional-package.ts'

/** The part of `@aws-sdk/client-bedrock-runtime` that is used. */
interface BedrockSdk {
  BedrockRuntimeClient: new (
    config: object,
  ) => {
    send(command: object, options: { abortSignal: AbortSignal }): Promise<{ body: Uint8Array }>
  }
  InvokeModelCommand: new (input: object) => object
}

/** @throws SiltstoneError `unsupported` (package-missing) */
export async function connectBedrock(
  connection: BedrockConnection,
  load: (packageName: string, purpose: string) => Promise<unknown> = importOptional,
): Promise<InvokeModel> {
  const sdk = (await load('@aws-sdk/client-bedrock-runtime', 'Embedding with Amazon Bedrock')) as BedrockSdk
  const given = Object.entries(connection).filter(([, value]) => value !== undefined)
  const client = new sdk.BedrockRuntimeClient({ ...Object.fromEntries(given), maxAttempts: 1 })
  return async ({ modelId, body }, abortSignal) => {
    const json = 'application/json'
    const command = new sdk.InvokeModelCommand({ modelId, body, contentType: json, accept: json })
    try {
      const answer = await client.send(command, { abortSignal })
      return new TextDecoder().decode(answer.body)
    } catch (error) {
      throw abortSignal.aborted ? error : translate(error as SdkError)
    }
  }
}

interface SdkError extends Error {
  $metadata?: { httpStatusCode?: number }
  $response?: { headers?: Record<string, string> }
}

function translate(cause: SdkError): SiltstoneError {
  const status = cause.$metadata?.httpStatusCode
  const said = `Amazon Bedrock: ${cause.name}: ${cause.message.slice(0, 300)}`
  if (status === undefined) return withoutAnswer(said, cause)
  // 424 is ModelErrorException: the model failed while it worked on the request.
  if (status === 408 || status === 424 || status === 429 || status >= 500) {
    const seconds = Number(cause.$response?.headers?.['retry-after'])
    const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
    const code = status === 429 ? 'embedding-rate-limited' : 'embedding-unavailable'
    return unavailable(code, said, { cause, ...retryAfterMs })
  }
  if (status === 401 || status === 403) {
    const remedy =
      'Check the credentials, the permission bedrock:InvokeModel and the access to the model in this region.'
    return forbidden('embedding-forbidden', `${said}. ${remedy}`, { cause })
  }
  if (status === 404)
    return unsupported('embedding-model-missing', `${said}. Check the model and the region.`, { cause })
  return invalid('embedding-refused', said, { cause })
}

function withoutAnswer(said: string, cause: SdkError): SiltstoneError {
  if (cause.name === 'CredentialsProviderError') {
    return unauthorized('embedding-unauthorized', `${said}. Set AWS credentials or a profile.`, { cause })
  }
  if (/region is missing/i.test(cause.message)) {
    return invalid('embedder-option', `${said}. Set AWS_REGION or \`region\`.`, { cause, field: 'region' })
  }
  return unavailable('embedding-unreachable', said, { cause })
}
