/**
 * A worker on a directory that kills itself at one of its requests: `worker.child.ts <directory> <request>`. Request 0: never; then
 * it ends when all keys are settled.
 */
import { DirectoryBlobs, type Embedder, interceptedStore, openEnvironment, StoreEngine } from 'siltstone/internal'
import { openProcessing } from './processing.ts'
import { linesProcessor } from './testing/lines-processor.ts'
import { ProcessingRules } from './rules.ts'
import { sweep } from './sweep.ts'

const [, , directory = '', request = '0'] = process.argv
const BUCKET = 'media'
const LEASE_MS = 50

const real = await openEnvironment(directory)
let requests = 0
const store = interceptedStore(real.store, async (_, effect) => {
  const isLast = ++requests === Number(request)
  // Half of them after the effect, whose answer nobody hears.
  if (isLast && requests % 2 === 0) process.kill(process.pid, 'SIGKILL')
  const answer = await effect()
  if (isLast) process.kill(process.pid, 'SIGKILL')
  return answer
})
const environment = { ...real, store }
const { clock, random } = environment
const engine = await StoreEngine.open({ env: environment })
const buckets = await DirectoryBlobs.open(directory, { clock, random })
const embedder: Pick<Embedder, 'embed'> = {
  embed: async (texts) => texts.map(({ length }) => Float32Array.of(length, 1)),
}
const { reconciler, states } = await openProcessing({
  environment,
  engine,
  embedderFor: async () => embedder as Embedder,
  queue: environment.queue,
  buckets: async () => [BUCKET],
  blobs: (bucket) => buckets.bucket(bucket),
  scheme: 'siltstone',
  rules: new ProcessingRules(),
  pipeline: {
    choose: async () => linesProcessor(),
    versionOf: () => undefined,
    close: async () => undefined,
  },
  leaseMs: LEASE_MS,
  maxAttempts: 1_000,
})
for (let isSettled = false; !isSettled; ) {
  isSettled = true
  const keys: string[] = []
  // A claim of a killed worker is waited for.
  await clock.sleep(LEASE_MS + 10)
  await sweep({
    bucket: BUCKET,
    blobs: buckets.bucket(BUCKET),
    states,
    reconciler,
    found: async (key) => void keys.push(key),
    onDamaged: (error) => {
      throw error
    },
  })
  for (const key of keys) {
    await reconciler.reconcile(BUCKET, key)
    isSettled = false
  }
}
process.stdout.write('settled')
process.exit(0)
