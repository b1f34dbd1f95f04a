/** Operating the deployed stack: doctor, dead letters, their cause, and another attempt. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Account, deployed, functionsAreBuilt, REGION } from '../account.ts'
import { DeployedStack, until } from '../stack.ts'

const CLI = fileURLToPath(new URL('../../../siltstone/src/cli/main.ts', import.meta.url))
/** Five receives, each with a visibility timeout and a batching window. */
const DEAD_WITHIN_MS = 150_000

let account: Account
let stack: DeployedStack
beforeAll(async () => {
  if (!functionsAreBuilt) throw new Error('build packages/functions first: npm ci && node build.ts')
  account = await deployed('dev')
  stack = new DeployedStack(account)
})
afterAll(() => account.stop())

interface Check {
  name: string
  verdict: string
  detail: string
}

async function doctor(...args: string[]): Promise<Check[]> {
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: account.server.endpoint,
    NODE_EXTRA_CA_CERTS: account.server.certificateFile,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    SILTSTONE_DATA: `s3://${stack.output('bucket_name')}`,
    SILTSTONE_QUEUE_URL: stack.output('queue_url'),
    SILTSTONE_LOCK_TABLE: stack.output('lock_table_name'),
  }
  const ran = promisify(execFile)(process.execPath, [CLI, 'doctor', '--json', ...args], { env })
  // It exits with 1 when a check fails, and still reports the checks.
  const { stdout } = await ran.catch((error: { stdout: string }) => error)
  return JSON.parse(stdout) as Check[]
}

describe('operating the deployed stack', () => {
  let collection: string
  let pointer: string
  const produce = (id: string) => stack.produce(collection, [{ id, document: `Marl and clay, ${id}.` }])

  it('passes the doctor as it was declared', async () => {
    collection = await stack.newCollection('notes')
    const { delta_key: delta } = await produce('a')
    pointer = `snapshot/${delta.split('/')[1] ?? ''}/latest/pointer.txt`
    await until('a snapshot', async () => (await stack.published(collection)).length > 0)
    const checks = await doctor()
    expect(checks.length).toBeGreaterThan(5)
    expect(checks.filter(({ verdict }) => verdict === 'fail')).toEqual([])
    expect(checks.find(({ name }) => name === 'dead letters')).toMatchObject({ verdict: 'ok' })
  })

  it('moves a message that keeps failing to the dead letters, and doctor reports it', {
    timeout: DEAD_WITHIN_MS + 60_000,
  }, async () => {
    const { s3, sqs } = account.root
    const [Bucket, QueueUrl] = [stack.output('bucket_name'), stack.output('queue_url')]
    // Shorter than five times a quarter of an hour.
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '2' } }))
    const whole = await (await s3.send(new GetObjectCommand({ Bucket, Key: pointer }))).Body?.transformToString()
    await s3.send(new PutObjectCommand({ Bucket, Key: pointer, Body: Buffer.from('not a pointer') }))
    await produce('b')
    await until('a dead letter', async () => (await stack.waiting('dead_letter_queue_url')) > 0, DEAD_WITHIN_MS)
    await s3.send(new PutObjectCommand({ Bucket, Key: pointer, Body: Buffer.from(whole ?? '') }))
    const found = (await doctor()).find(({ name }) => name === 'dead letters')
    expect(found).toMatchObject({ verdict: 'warn' })
  })

  it('processes the message again once the cause is gone', { timeout: DEAD_WITHIN_MS }, async () => {
    const before = await stack.published(collection)
    await doctor('--redrive')
    await until('another snapshot', async () => {
      const now = await stack.published(collection)
      return now.some((key) => !before.includes(key))
    })
    expect(await stack.idsIn(collection)).toEqual(['a', 'b'])
    expect(await stack.waiting('dead_letter_queue_url')).toBe(0)
  })
})
