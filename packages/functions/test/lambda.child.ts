/** A process like a Lambda container: loads the bundle and handles events one by one. See `lambda.ts`. */
import { join } from 'node:path'
import type { Context } from 'aws-lambda'

interface Invocation {
  event: unknown
  remainingMs: number
}

const folder = process.env['LAMBDA_TASK_ROOT'] ?? ''
const { handler } = (await import(join(folder, 'index.mjs'))) as {
  handler: (event: unknown, context: Partial<Context>) => Promise<unknown>
}

process.on('message', ({ event, remainingMs }: Invocation) => {
  const endMs = performance.now() + remainingMs
  const functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? ''
  const context: Partial<Context> = {
    functionName,
    functionVersion: '$LATEST',
    awsRequestId: 'request',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '',
    getRemainingTimeInMillis: () => Math.max(0, endMs - performance.now()),
  }
  handler(event, context).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
process.send?.('ready')
