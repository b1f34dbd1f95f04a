/** Limits of what stands before a registry and passes on no larger bodies: the URL of a function, for example. */
import { invalid, type SiltstoneError } from 'siltstone/internal'

export interface BodyLimits {
  requestBytes: number
  answerBytes: number
  /** Of a file that is sent to the bucket itself: it has to be read for its SHA-256 within one request. */
  directBytes: number
  /** What to do instead, as the end of an error's sentence. */
  remedy: string
}

/** @throws SiltstoneError `invalid` (body-too-large) */
export function checkSize(what: string, sizeBytes: number, limits: BodyLimits | undefined): void {
  if (limits === undefined || sizeBytes <= limits.requestBytes) return
  const text = `${what} has ${sizeBytes} bytes, and at most ${limits.requestBytes} reach this registry: ${limits.remedy}`
  throw invalid('body-too-large', text, { field: 'body' })
}

/** The answer with its whole body in memory. @throws SiltstoneError `invalid` (answer-too-large) */
export async function wholeAnswer(answer: Response, { answerBytes, remedy }: BodyLimits): Promise<Response> {
  if (answer.body === null) return answer
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  // Leaving the loop cancels the body, so no more of it is read from the bucket.
  for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
    sizeBytes += chunk.length
    if (sizeBytes > answerBytes) throw tooLarge(answerBytes, remedy)
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), answer)
}

const tooLarge = (answerBytes: number, remedy: string): SiltstoneError =>
  invalid('answer-too-large', `the answer has more than ${answerBytes} bytes, the most that is passed on: ${remedy}`)
