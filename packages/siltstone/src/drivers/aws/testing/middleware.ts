/** Middleware of an SDK client, close to the network, for tests that replace or spoil the server's answers. */
import { Readable } from 'node:stream'
import type { HasMiddleware } from '../client-config.ts'

export interface WireRequest {
  method: string
  path: string
  headers: Record<string, string>
  body?: Uint8Array | string
}

export interface WireResponse {
  statusCode: number
  headers: Record<string, string>
  body: unknown
}

/** @param command its name in the SDK: `PutObject` */
export type Step = (command: string, request: WireRequest, next: () => Promise<WireResponse>) => Promise<WireResponse>

interface Stack {
  add(
    middleware: (
      next: (args: object) => Promise<{ response: WireResponse }>,
      context: { commandName?: string },
    ) => (args: { request: WireRequest }) => Promise<{ response: WireResponse }>,
    options: { step: 'deserialize'; priority: 'low'; name: string },
  ): void
}

export function addStep(client: HasMiddleware, name: string, step: Step): void {
  const stack = client.middlewareStack as Stack
  stack.add(
    (next, context) => async (args) => {
      const command = (context.commandName ?? '').replace(/Command$/, '')
      return { response: await step(command, args.request, async () => (await next(args)).response) }
    },
    { step: 'deserialize', priority: 'low', name },
  )
}

export function answer(
  statusCode: number,
  headers: Record<string, string> = {},
  body: Uint8Array | string = '',
): WireResponse {
  return { statusCode, headers, body: Readable.from([Buffer.from(body)]) }
}

/** An error in the form of S3. */
export function s3Error(statusCode: number, code: string): WireResponse {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up</Message></Error>`
  return answer(statusCode, { 'content-type': 'application/xml' }, xml)
}

/** An error in the form of DynamoDB and SQS. */
export function jsonError(statusCode: number, code: string): WireResponse {
  const body = JSON.stringify({ __type: `com.amazonaws#${code}`, message: 'made up' })
  return answer(statusCode, { 'content-type': 'application/x-amz-json-1.0' }, body)
}

/** The connection broke. */
export function lost(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
}
