/** Runs a built function in its own process, like one Lambda container. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const DIST = join(import.meta.dirname, '../dist')
const CHILD = join(import.meta.dirname, 'lambda.child.ts')

export type FunctionName = 'producer' | 'compactor' | 'query' | 'api' | 'registry'

export class LambdaFunction {
  readonly #name: FunctionName
  readonly #variables: Record<string, string | undefined>
  readonly #cache = mkdtempSync(join(tmpdir(), 'siltstone-function-'))
  #child: ChildProcess | undefined
  /** The output of the process. */
  output = ''
  /** From the start of the process to its first answer. */
  coldStartMs: number | undefined

  constructor(name: FunctionName, variables: Record<string, string | undefined>) {
    this.#name = name
    this.#variables = variables
  }

  /** @throws Error with what the handler threw */
  async invoke<T>(event: unknown, { remainingMs = 60_000 } = {}): Promise<T> {
    const startedMs = performance.now()
    const isCold = this.#child === undefined
    const child = this.#child ?? (await this.#start())
    child.send({ event, remainingMs })
    const [message] = (await once(child, 'message')) as [{ answer?: T; failed?: string }]
    if (isCold) this.coldStartMs = performance.now() - startedMs
    if (message.failed !== undefined) throw new Error(message.failed)
    return message.answer as T
  }

  /** The JSON objects that it logged. */
  logged(): Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async end(): Promise<void> {
    if (this.#child !== undefined) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await exited
      this.#child = undefined
    }
    rmSync(this.#cache, { recursive: true, force: true })
  }

  async #start(): Promise<ChildProcess> {
    const functionName = `siltstone-test-${this.#name}`
    const child = fork(CHILD, {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...this.#variables,
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_NAME: functionName,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769',
        LAMBDA_TASK_ROOT: join(DIST, this.#name),
        _HANDLER: 'index.handler',
        _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
        // Where Lambda mounts layers.
        NODE_PATH: join(DIST, 'layer/nodejs/node_modules'),
        SILTSTONE_CACHE_DIRECTORY: this.#cache,
        LOG_LEVEL: 'INFO',
        POWERTOOLS_SERVICE_NAME: functionName,
        POWERTOOLS_METRICS_NAMESPACE: 'ChromaDB/Compaction',
      },
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${this.#name} ended with code ${String(code)}:\n${this.output}`)
    })
    ended.catch(() => undefined)
    await Promise.race([once(child, 'message'), ended])
    this.#child = child
    return child
  }
}
