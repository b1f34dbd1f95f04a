/**
 * Lambda's runtime API, version 2018-06-01, which an image has to speak itself
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): ask for the next invocation, post its answer or its error, and so
 * on. The question waits as long as there is no invocation, during which Lambda freezes the process, so it has no time limit. An answer
 * that cannot be posted ends the process, and Lambda starts another one.
 */
import { type IncomingHttpHeaders, request } from 'node:http'
import type { Context } from 'aws-lambda'
import { systemClock } from 'siltstone/internal'

const VERSION = '2018-06-01'

type Handle = (event: never, context: Context) => Promise<unknown>

interface Answer {
  headers: IncomingHttpHeaders
  body: string
}

/**
 * Until the API does not answer any more.
 * @param api host and port, as in `AWS_LAMBDA_RUNTIME_API`
 */
export async function serveInvocations(api: string, handle: Handle): Promise<never> {
  for (;;) {
    const { headers, body } = await call(api, 'GET', 'invocation/next')
    const id = text(headers, 'lambda-runtime-aws-request-id')
    const trace = text(headers, 'lambda-runtime-trace-id')
    if (trace !== '') process.env['_X_AMZN_TRACE_ID'] = trace
    const posted = await handle(JSON.parse(body) as never, contextOf(headers, id)).then(
      (answer) => ({ to: 'response', value: answer ?? null }),
      (error: unknown) => ({ to: 'error', value: errorOf(error) }),
    )
    await call(api, 'POST', `invocation/${id}/${posted.to}`, JSON.stringify(posted.value))
  }
}

const text = (headers: IncomingHttpHeaders, name: string): string => String(headers[name] ?? '')

function contextOf(headers: IncomingHttpHeaders, awsRequestId: string): Context {
  const deadlineMs = Number(text(headers, 'lambda-runtime-deadline-ms'))
  const variable = (name: string) => process.env[name] ?? ''
  return {
    awsRequestId,
    invokedFunctionArn: text(headers, 'lambda-runtime-invoked-function-arn'),
    functionName: variable('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: variable('AWS_LAMBDA_FUNCTION_VERSION'),
    memoryLimitInMB: variable('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: variable('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: variable('AWS_LAMBDA_LOG_STREAM_NAME'),
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - systemClock.nowMs()),
    // Of runtimes before promises.
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  }
}

function errorOf(error: unknown): { errorType: string; errorMessage: string; stackTrace: string[] } {
  if (!(error instanceof Error)) return { errorType: 'Error', errorMessage: String(error), stackTrace: [] }
  return { errorType: error.name, errorMessage: error.message, stackTrace: (error.stack ?? '').split('\n').slice(1) }
}

/** @throws Error unless the status is one of success */
function call(api: string, method: string, path: string, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(`http://${api}/${VERSION}/runtime/${path}`, { method, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        const { statusCode = 0 } = answer
        const received = Buffer.concat(parts).toString('utf8')
        if (statusCode >= 200 && statusCode < 300) resolve({ headers: answer.headers, body: received })
        else reject(new Error(`${method} ${path} of the runtime API: ${statusCode} ${received.slice(0, 300)}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
