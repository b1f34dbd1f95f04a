/** The deployed stack from the point of view of its callers. */
import { InvokeCommand } from '@aws-sdk/client-lambda'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import type { FunctionName } from '../src/names.ts'
import type { Account } from './account.ts'

const ROOT = '/api/v2/tenants/default_tenant/databases/default_database/collections'
const LOG_SHOWN = 2_000
const LOOK_EVERY_MS = 250

export interface Produced {
  delta_key: string
  item_count: number
}

export interface TextRecord {
  id: string
  document: string
  metadata?: Record<string, unknown>
}

export interface HttpAnswer<T> {
  status: number
  body: T
}

export class DeployedStack {
  readonly account: Account

  constructor(account: Account) {
    this.account = account
  }

  /** @throws Error when the stack has no such output */
  output(name: string): string {
    const value = this.account.stack.outputs[name]
    if (typeof value !== 'string') throw new Error(`output ${name} is ${JSON.stringify(value)}`)
    return value
  }

  /** @throws Error with what the function threw */
  async invoke<T>(name: FunctionName | 'ingest' | 'registry', event: unknown): Promise<T> {
    const { Payload, FunctionError } = await this.account.root.lambda.send(
      new InvokeCommand({
        FunctionName: this.output(`${name}_function_name`),
        Payload: Buffer.from(JSON.stringify(event)),
      }),
    )
    const text = Buffer.from(Payload ?? new Uint8Array()).toString()
    if (FunctionError === undefined) return JSON.parse(text) as T
    throw new Error(`${name}: ${text}\n${this.account.server.log().slice(-LOG_SHOWN)}`)
  }

  /** A request as the function's URL passes it on. */
  async http<T>(name: 'query' | 'api', method: string, path: string, body?: unknown): Promise<HttpAnswer<T>> {
    const rawPath = `${ROOT}${path}`
    const answer = await this.invoke<{ statusCode: number; body: string }>(name, {
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString: '',
      headers: { 'content-type': 'application/json', host: 'x.lambda-url.us-east-1.on.aws' },
      requestContext: {
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'siltstone' },
      },
      isBase64Encoded: false,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.statusCode, body: JSON.parse(answer.body) as T }
  }

  /** @throws Error unless the status is 200 */
  async ok<T>(name: 'query' | 'api', method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.http<T>(name, method, path, body)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** @returns the collection's id */
  async newCollection(name: string): Promise<string> {
    return (await this.ok<{ id: string }>('api', 'POST', '', { name, get_or_create: true })).id
  }

  async idsIn(collection: string): Promise<string[]> {
    const got = await this.ok<{ ids: string[] }>('query', 'POST', `/${collection}/get`, { include: [] })
    return got.ids.toSorted()
  }

  produce(collection: string, records: readonly TextRecord[]): Promise<Produced> {
    return this.invoke<Produced>('producer', { collection_id: collection, records })
  }

  async keys(prefix: string): Promise<string[]> {
    const Bucket = this.output('bucket_name')
    const { Contents = [] } = await this.account.root.s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }))
    return Contents.flatMap(({ Key }) => Key ?? [])
  }

  /** Manifests of the collection's snapshots. */
  async published(collection: string): Promise<string[]> {
    return (await this.keys('snapshot/')).filter((key) => key.includes(collection) && key.includes('/manifest/'))
  }

  /** Messages that wait or are in flight. */
  async waiting(
    queueUrlOutput: 'queue_url' | 'dead_letter_queue_url' | 'ingest_dead_letter_queue_url',
  ): Promise<number> {
    const { Attributes } = await this.account.root.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: this.output(queueUrlOutput),
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    )
    return Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible)
  }
}

/** @throws Error when it does not become true in time */
export async function until(what: string, condition: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
