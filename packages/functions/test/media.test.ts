/**
 * The entry point of the image, as a plain process: as Lambda's runtime API starts it, and as a task of ECS, on MiniStack's S3 and
 * SQS. ffmpeg is the one that is installed for tests. Lambda and ECS themselves are not here.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openBucket, openQueue, targets, type TestBucket, type TestQueue, variablesOf } from '@siltstone/emulated-aws'
import { changeEvent } from '@siltstone/objects/ingest'
import { openS3Blobs } from 'siltstone/internal/aws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ecs, handOverOf } from '../src/hand-over.ts'

const [server] = targets()
if (server === undefined) throw new Error('no server')
const target = server
const MAIN = join(import.meta.dirname, '../dist/media/index.mjs')
const processors = createRequire(import.meta.resolve('@siltstone/processors'))
const { path: ffmpeg } = processors('@ffmpeg-installer/ffmpeg') as { path: string }

/** Hands out its invocations, then none; keeps what was posted. */
class RuntimeApi {
  readonly posted: { path: string; body: unknown }[] = []
  readonly #events: unknown[]
  #waiting: ServerResponse | undefined
  #ended: () => void = () => undefined
  readonly ended = new Promise<void>((resolve) => (this.#ended = resolve))
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(events: unknown[]) {
    this.#events = events
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#waiting?.destroy()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const path = request.url ?? ''
    if (path === '/2018-06-01/runtime/invocation/next') {
      const event = this.#events.shift()
      if (event === undefined) {
        this.#waiting = response
        this.#ended()
        return
      }
      response.setHeader('lambda-runtime-aws-request-id', `request-${this.posted.length}`)
      response.setHeader('lambda-runtime-deadline-ms', String(Date.now() + 120_000))
      response.setHeader('lambda-runtime-invoked-function-arn', 'arn:aws:lambda:us-east-1:000000000000:function:media')
      response.end(JSON.stringify(event))
      return
    }
    this.posted.push({ path, body: JSON.parse(Buffer.concat(parts).toString('utf8')) })
    response.writeHead(202).end('{"status":"OK"}')
  }
}

describe('the image with ffmpeg', () => {
  let store: TestBucket
  let objects: TestBucket
  let queue: TestQueue
  let place: string
  let folder: string
  const children: ChildProcess[] = []
  beforeEach(async () => {
    store = await openBucket(target)
    objects = await openBucket(target)
    queue = await openQueue(target)
    place = store.url()
    folder = mkdtempSync(join(tmpdir(), 'siltstone-media-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
    await Promise.all([store.dispose(), objects.dispose(), queue.dispose()])
  })

  async function upload(key: string): Promise<void> {
    const file = join(folder, 'talk.mp4')
    const scene = (source: string) => ['-f', 'lavfi', '-i', `${source}=size=160x90:rate=10:duration=3`]
    const sources = [...scene('smptebars'), ...scene('testsrc')]
    const joined = ['-filter_complex', '[0:v][1:v]concat=n=2:v=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p']
    const title = ['-metadata', 'title=Deltas and silt']
    await promisify(execFile)(ffmpeg, ['-v', 'error', ...sources, ...joined, ...title, file])
    await openS3Blobs(`s3://${objects.name}`, { variables: variablesOf(target) }).put(key, readFileSync(file))
  }

  function start(variables: Record<string, string>): { exited: Promise<number | null>; output: () => string } {
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...variablesOf(target),
        SILTSTONE_DATA: place,
        SILTSTONE_QUEUE_URL: queue.url,
        SILTSTONE_OBJECTS_BUCKET: objects.name,
        SILTSTONE_OBJECTS_QUEUE_URL: queue.url,
        SILTSTONE_FFMPEG: ffmpeg,
        // Where the image has the models.
        NODE_PATH: join(import.meta.dirname, '../dist/layer/nodejs/node_modules'),
        LOG_LEVEL: 'INFO',
        POWERTOOLS_SERVICE_NAME: 'siltstone-test-media',
        POWERTOOLS_METRICS_NAMESPACE: 'ChromaDB/Compaction',
        ...variables,
      },
    })
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
    return { exited: once(child, 'exit').then(([code]) => code as number | null), output: () => output }
  }

  async function stateOf(key: string): Promise<Record<string, unknown>> {
    const hash = createHash('sha256').update(key).digest('hex')
    const prefix = place.slice(`s3://${store.name}/`.length)
    const at = `${prefix}/objects/${objects.name}/${hash.slice(0, 2)}/${hash}.json`
    const got = await openS3Blobs(`s3://${store.name}`, { variables: variablesOf(target) }).get(at)
    if (got.status !== 'ok') throw new Error(`there is no ${at}`)
    const text = await new Response(got.body as ReadableStream).text()
    return (JSON.parse(text) as { body: Record<string, unknown> }).body
  }
  const messageAbout = (key: string) => ({
    Records: [{ messageId: 'm', body: changeEvent({ bucket: objects.name, key }), receiptHandle: 'r', attributes: {} }],
  })

  it('answers invocations one after the other, and makes scenes of a video', async () => {
    await upload('uploads/talk.mp4')
    const api = new RuntimeApi([messageAbout('uploads/talk.mp4'), { Records: 'nonsense' }, { Records: [] }])
    const started = start({
      AWS_LAMBDA_RUNTIME_API: await api.listen(),
      AWS_LAMBDA_FUNCTION_NAME: 'media',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
      SILTSTONE_OBJECTS_TIER: 'media',
    })
    await Promise.race([api.ended, started.exited])
    expect(api.posted, started.output()).toMatchObject([
      { path: '/2018-06-01/runtime/invocation/request-0/response', body: { batchItemFailures: [] } },
      { path: '/2018-06-01/runtime/invocation/request-1/error', body: { errorType: expect.any(String) as string } },
      { path: '/2018-06-01/runtime/invocation/request-2/response', body: { batchItemFailures: [] } },
    ])
    expect(await stateOf('uploads/talk.mp4')).toMatchObject({
      progress: 'done',
      processor: { name: 'media' },
      steps: { container: { state: 'done' }, scenes: { state: 'done', records: 2 } },
    })
    // Lambda freezes it; here the API goes away, and it ends.
    api.close()
    expect(await started.exited).toBe(1)
  })

  it('works on one object as a task, and ends', async () => {
    await upload('uploads/größe + 1.mp4')
    const started = start({
      SILTSTONE_OBJECTS_KEY: 'uploads/größe + 1.mp4',
      SILTSTONE_OBJECTS_TIER: 'task',
      SILTSTONE_MEMORY_MB: '2048',
    })
    expect(await started.exited, started.output()).toBe(0)
    expect(await stateOf('uploads/größe + 1.mp4')).toMatchObject({
      progress: 'done',
      steps: { scenes: { records: 2 } },
    })
    const without = start({ SILTSTONE_OBJECTS_TIER: 'task' })
    expect(await without.exited).toBe(1)
    expect(without.output()).toContain('SILTSTONE_OBJECTS_KEY')
  })
})

describe('handing over', () => {
  const task = {
    cluster: 'c',
    taskDefinition: 'siltstone-dev-media',
    container: 'media',
    subnets: ['subnet-1'],
    securityGroups: [],
    assignPublicIp: true,
  }
  const variables = { SILTSTONE_OBJECTS_TASK: JSON.stringify(task), SILTSTONE_OBJECTS_TASK_ABOVE_MB: '2' }
  const order = { bucket: 'b', key: 'uploads/ö.mp4', id: 'c0ffee-1-1' }

  it('starts a task for the object, and fails where ECS starts none', async () => {
    const asked: object[] = []
    let answer: Awaited<ReturnType<Ecs['runTask']>> = { tasks: [{ taskArn: 'arn:task/1' }], failures: [] }
    const ecs = async () => ({ runTask: async (input: object) => (asked.push(input), answer) })
    const made = handOverOf(variables, {}, ecs)
    expect(made).toMatchObject({ own: 'function', taskAboveBytes: 2 * 1024 * 1024 })
    expect(await made?.recipients.task?.(order)).toBe('arn:task/1')
    expect(asked).toEqual([
      {
        cluster: 'c',
        taskDefinition: 'siltstone-dev-media',
        launchType: 'FARGATE',
        count: 1,
        clientToken: 'c0ffee-1-1',
        startedBy: 'siltstone',
        networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'], assignPublicIp: 'ENABLED' } },
        overrides: {
          containerOverrides: [
            { name: 'media', environment: [{ name: 'SILTSTONE_OBJECTS_KEY', value: 'uploads/ö.mp4' }] },
          ],
        },
      },
    ])
    answer = { tasks: [], failures: [{ arn: 'a', reason: 'RESOURCE:FARGATE' }] }
    await expect(made?.recipients.task?.(order)).rejects.toMatchObject({
      code: 'task-not-started',
      message: expect.stringContaining('RESOURCE:FARGATE') as string,
    })
  })

  it('is refused with settings that are none, and is not done without any', () => {
    expect(handOverOf({}, {})).toBeUndefined()
    const code = (more: Record<string, string>) => {
      try {
        handOverOf({ ...variables, ...more }, {})
        return 'accepted'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(code({ SILTSTONE_OBJECTS_TIER: 'moon' })).toBe('bad-tier')
    for (const text of ['x', 'null', '{}', JSON.stringify({ ...task, subnets: 'subnet-1' })])
      expect(code({ SILTSTONE_OBJECTS_TASK: text }), text).toBe('bad-task')
  })
})
