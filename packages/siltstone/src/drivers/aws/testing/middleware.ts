/** Steps in the chain of an SDK client, next to the wire: for tests that answer in the server's stead, or spoil its answers. */
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

/** @param command as the SDK calls it: `PutObject` */
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

/** An error as S3 says it. */
export function s3Error(statusCode: number, code: string): WireResponse {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made up</Message></Error>`
  return answer(statusCode, { 'content-type': 'application/xml' }, xml)
}

/** An error as DynamoDB and SQS say it. */
export function jsonError(statusCode: number, code: string): WireResponse {
  const body = JSON.stringify({ __type: `com.amazonaws#${code}`, message: 'made up' })
  return answer(statusCode, { 'content-type': 'application/x-amz-json-1.0' }, body)
}

/** The connection broke. */
export function lost(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
}
