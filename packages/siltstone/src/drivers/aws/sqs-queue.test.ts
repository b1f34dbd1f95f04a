/** Batches that fail in part, and answers that no emulated server gives. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../ports/seeded-random.ts'
import { systemClock } from '../../host/system-clock.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { Requests } from './aws-requests.ts'
import { sqsClient } from './sqs-client.ts'
import { deadLetterUrl, SqsQueue } from './sqs-queue.ts'
import { addStep, answer, jsonError, lost } from './testing/middleware.ts'

interface Entry {
  Id: string
  MessageBody?: string
  ReceiptHandle?: string
  DelaySeconds?: number
}

interface Call {
  command: string
  entries: Entry[]
}

type Failed = { Id: string; Code: string; SenderFault: boolean; Message?: string }

/** @param fail the entries of the nth request that fail, or the whole request */
function setUp(fail: (call: Call, nth: number) => Failed[] | Error | 'throttled' = () => []) {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test'
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test'
  const calls: Call[] = []
  const client = sqsClient({ region: 'us-east-1' }, { log: silentLogger })
  addStep(client, 'server', async (command, { body = '' }) => {
    const { Entries = [] } = JSON.parse(Buffer.from(body as string).toString()) as { Entries?: Entry[] }
    const call = { command, entries: Entries }
    calls.push(call)
    const failed = fail(call, calls.length)
    if (failed instanceof Error) throw failed
    if (failed === 'throttled') return jsonError(400, 'RequestThrottled')
    const Successful = Entries.filter(({ Id }) => !failed.some((one) => one.Id === Id)).map(
      ({ Id, MessageBody = '' }) => ({
        Id,
        MessageId: `m${Id}`,
        MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
      }),
    )
    return answer(200, { 'content-type': 'application/x-amz-json-1.0' }, JSON.stringify({ Successful, Failed: failed }))
  })
  const parts = { clock: systemClock, random: seededRandom(1), log: silentLogger, metrics: noMetrics }
  const requests = new Requests('sqs', parts)
  const queue = new SqsQueue('https://sqs.us-east-1.amazonaws.com/1/q', { client, requests, clock: systemClock })
  return { queue, calls }
}

const message = (receipt: string) => ({ id: receipt, body: '', receiveCount: 1, sentAtMs: 0, receipt })
const bodiesOf = ({ entries }: Call) => entries.map(({ MessageBody }) => MessageBody)
const tooLarge = 'x'.repeat(200_000)

describe('SqsQueue', () => {
  it('sends what is sent at once in batches of ten, and within their bytes', async () => {
    const { queue, calls } = setUp()
    await Promise.all(Array.from({ length: 23 }, (_, at) => queue.send(`${at}`)))
    expect(calls.map(({ entries }) => entries.length).sort((a, b) => b - a)).toEqual([10, 10, 3])
    await Promise.all([queue.send(tooLarge), queue.send(tooLarge), queue.send('small')])
    expect(new Set(calls.slice(3).map(({ entries }) => entries.length))).toEqual(new Set([1, 2]))
  })

  it('rounds delays up to whole seconds, 15 minutes at most', async () => {
    const { queue, calls } = setUp()
    await Promise.all([0, 1, 1_000, 1_001, 10_000_000].map((delayMs) => queue.send('x', { delayMs })))
    expect(calls[0]?.entries.map(({ DelaySeconds }) => DelaySeconds)).toEqual([undefined, 1, 1, 2, 900])
  })

  it('sends again only what failed for now, and fails for that alone which is refused', async () => {
    const { queue, calls } = setUp(({ entries }, nth) =>
      nth > 1
        ? []
        : entries.flatMap(({ Id, MessageBody }): Failed[] => {
            if (MessageBody === 'later') return [{ Id, Code: 'InternalError', SenderFault: false }]
            return MessageBody === 'bad' ? [{ Id, Code: 'InvalidMessageContents', SenderFault: true }] : []
          }),
    )
    const results = await Promise.allSettled(['good', 'later', 'bad', 'fine'].map((body) => queue.send(body)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(results[2]).toMatchObject({ reason: { kind: 'invalid', code: 'aws-refused' } })
    expect(calls.map(bodiesOf)).toEqual([['good', 'later', 'bad', 'fine'], ['later']])
  })

  it('gives up on an entry that always fails: its outcome is unknown', async () => {
    const { queue, calls } = setUp(() => [{ Id: '0', Code: 'InternalError', SenderFault: false }])
    await expect(queue.send('x')).rejects.toMatchObject({ kind: 'unknown' })
    expect(calls).toHaveLength(4)
  })

  it('answers each acknowledgement by itself', async () => {
    const { queue, calls } = setUp(({ entries }) =>
      entries
        .filter(({ ReceiptHandle }) => ReceiptHandle === 'stale')
        .map(({ Id }) => ({ Id, Code: 'ReceiptHandleIsInvalid', SenderFault: true })),
    )
    const answers = await Promise.all(['a', 'stale', 'b'].map((receipt) => queue.acknowledge(message(receipt))))
    expect(answers).toEqual([true, false, true])
    expect(await queue.extend(message('stale'), 1_000)).toBe(false)
    expect(calls.map(({ command }) => command)).toEqual(['DeleteMessageBatch', 'ChangeMessageVisibilityBatch'])
  })

  it('is patient with throttling and lost answers', async () => {
    const { queue, calls } = setUp((_, nth) => (nth === 1 ? 'throttled' : nth === 2 ? lost() : []))
    await queue.send('x')
    expect(calls).toHaveLength(3)
  })

  it('waits for what is under way when it is closed', async () => {
    const { queue, calls } = setUp()
    const sending = queue.send('x')
    await queue.close()
    await sending
    expect(calls).toHaveLength(1)
    await expect(queue.send('y')).rejects.toMatchObject({ code: 'queue-closed' })
  })
})

describe('deadLetterUrl', () => {
  it('differs from the queue’s by the name', () => {
    const policy = JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:eu-west-1:1:dead', maxReceiveCount: 5 })
    const url = 'https://sqs.eu-west-1.amazonaws.com/1/queue'
    expect(deadLetterUrl(url, policy)).toBe('https://sqs.eu-west-1.amazonaws.com/1/dead')
    expect(deadLetterUrl(url, undefined)).toBeUndefined()
  })
})
