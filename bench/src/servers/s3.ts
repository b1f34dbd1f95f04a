/** Siltstone's own S3 over a directory, as the bucket of programs that run as they do on AWS. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { DirectoryBlobs, systemClock, systemRandom } from 'siltstone/internal'
import { freePort } from './free-port.ts'
import { SILTSTONE_MAIN } from '../places.ts'
import { sleep } from './server-process.ts'

const BUCKET = 'store'
const KEY = { accessKeyId: 'bench', secretAccessKey: 'not-a-secret-at-all' }
const START_WITHIN_MS = 30_000

export interface RunningS3 {
  /** `s3://…` */
  place: string
  /** Variables for programs that use the bucket. */
  variables: Record<string, string>
  stop(): Promise<void>
}

export async function startS3(directory: string): Promise<RunningS3> {
  mkdirSync(directory, { recursive: true })
  const blobs = await DirectoryBlobs.open(directory, { clock: systemClock, random: systemRandom })
  await blobs.createBucket(BUCKET)
  await blobs.close()
  const [port, objectsPort] = [await freePort(), await freePort()]
  const args = ['serve', '--data', directory, '--port', String(port), '--no-compaction', '--no-console']
  const child = spawn(
    process.execPath,
    [
      SILTSTONE_MAIN,
      ...args,
      '--objects',
      '--no-objects-processing',
      '--objects-port',
      String(objectsPort),
      '--log-level',
      'warn',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, SILTSTONE_OBJECTS_KEYS: JSON.stringify([KEY]) } },
  )
  process.once('exit', () => child.kill('SIGKILL'))
  const endpoint = `http://127.0.0.1:${objectsPort}`
  const startedMs = performance.now()
  const isUp = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    )
  while (!(await isUp())) {
    if (child.exitCode !== null || performance.now() - startedMs > START_WITHIN_MS)
      throw new Error('the S3 server did not start')
    await sleep(50)
  }
  return {
    place: `s3://${BUCKET}`,
    variables: {
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: endpoint,
    },
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
