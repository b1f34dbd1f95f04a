/** Invocations of the built compactor function, each in a process of its own, under the limits that Lambda enforces. */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { processUsage, samplePeak } from '../measure/process-usage.ts'

const FUNCTIONS = fileURLToPath(new URL('../../../packages/functions', import.meta.url))
const SAMPLE_EACH_MS = 25

export interface FunctionLimits {
  memoryBytes: number
  timeMs: number
  scratchBytes: number
}

export interface Invoked {
  /** Of the collection; or how the process ended. */
  status:
    | 'done'
    | 'busy'
    | 'continues'
    | 'blocked'
    | 'failed'
    | 'killed'
    | 'timed out'
    | 'out of memory'
    | 'out of disk'
  entriesFolded: number
  merges: number
  error: string
  seconds: number
  cpuSeconds: number
  peakRssBytes: number
  peakScratchBytes: number
}

interface Answer {
  answer?: { compacted: { status: Invoked['status']; entriesFolded?: number; merges?: number; error?: string }[] }
  failed?: string
}

export interface CompactorFunction {
  variables: Record<string, string>
  limits: FunctionLimits
  /** A folder of its own. */
  temporary: string
}

/** Bundles the functions of this checkout: what was built before may be older. */
export function buildFunctions(): void {
  execFileSync(process.execPath, [join(FUNCTIONS, 'build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** @param killAfterMs ends it with SIGKILL then */
export async function invokeCompactor(
  { variables, limits, temporary }: CompactorFunction,
  path: string,
  killAfterMs?: number,
): Promise<Invoked> {
  mkdirSync(temporary, { recursive: true })
  const startedMs = performance.now()
  const child = fork(join(FUNCTIONS, 'test/lambda.child.ts'), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...variables,
      TMPDIR: temporary,
      SILTSTONE_CACHE_DIRECTORY: join(temporary, 'cache'),
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: 'compactor',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(Math.floor(limits.memoryBytes / 2 ** 20)),
      LAMBDA_TASK_ROOT: join(FUNCTIONS, 'dist/compactor'),
      NODE_PATH: join(FUNCTIONS, 'dist/layer/nodejs/node_modules'),
      LOG_LEVEL: 'WARN',
      POWERTOOLS_TRACE_ENABLED: 'false',
      POWERTOOLS_METRICS_NAMESPACE: 'ChromaDB/Compaction',
    },
  })
  let ending: Invoked['status'] | undefined
  const end = (status: Invoked['status']) => {
    ending ??= status
    child.kill('SIGKILL')
  }
  const exited = once(child, 'exit').then((): Answer => ({ failed: 'the process ended' }))
  let usage = { rssBytes: 0, peakRssBytes: 0, cpuSeconds: 0 }
  let scratchBytes = 0
  const look = () => {
    try {
      usage = processUsage(child.pid as number)
    } catch {
      // It has ended; the last figures stay.
    }
    if (usage.peakRssBytes > limits.memoryBytes) end('out of memory')
    return usage.rssBytes
  }
  const peak = samplePeak(look, SAMPLE_EACH_MS)
  const scratch = setInterval(() => {
    scratchBytes = Math.max(scratchBytes, folderBytes(temporary))
    if (scratchBytes > limits.scratchBytes) end('out of disk')
  }, 200)
  const timers = [
    setTimeout(() => end('timed out'), limits.timeMs),
    ...(killAfterMs === undefined ? [] : [setTimeout(() => end('killed'), killAfterMs)]),
  ]
  const next = () => Promise.race([once(child, 'message').then(([message]) => message as Answer), exited])
  await next()
  let said: Answer = {}
  if (child.connected) {
    child.send({ event: { collections: [path] }, remainingMs: limits.timeMs - (performance.now() - startedMs) })
    said = await next()
  }
  look()
  const peakRssBytes = peak.stop()
  clearInterval(scratch)
  for (const timer of timers) clearTimeout(timer)
  if (ending === undefined) child.kill('SIGKILL')
  await exited
  // A container that was killed is replaced: its disk is gone.
  rmSync(temporary, { recursive: true, force: true })
  const [one] = said.answer?.compacted ?? []
  return {
    status: ending ?? one?.status ?? 'failed',
    entriesFolded: one?.entriesFolded ?? 0,
    merges: one?.merges ?? 0,
    error: one?.error ?? said.failed ?? '',
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: usage.cpuSeconds,
    peakRssBytes,
    peakScratchBytes: scratchBytes,
  }
}

function folderBytes(folder: string): number {
  let total = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) total += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  return total
}
