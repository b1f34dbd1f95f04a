/**
 * Worker threads with typed messages. A worker does not keep its process alive: when the process ends, the worker ends
 * too, at any point of its work, so that work must survive being cut off.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads'

export interface WorkerHandlers<Out> {
  onMessage(message: Out): void
  /** Called once, when the thread has ended. `error` is what was thrown in it and not caught. */
  onExit(code: number, error: Error | undefined): void
}

export interface WorkerHandle<In> {
  post(message: In): void
  /** Whether the process stays alive from now on until the thread has ended. Default true; before the first call it does not. */
  keepAlive(isBusy?: boolean): void
  /** Ends the thread at once. Resolves when it has ended. */
  terminate(): Promise<void>
}

export interface WorkerOptions {
  /** Memory for new objects. Default: as large as V8 makes it, which is up to 200 MB. */
  youngGenerationMb?: number
}

/**
 * @param url the module to run, from `moduleBeside`
 * @param data any value that can be cloned; the worker gets it from `connectToParent`
 */
export function startWorker<In, Out>(
  url: URL,
  data: unknown,
  handlers: WorkerHandlers<Out>,
  { youngGenerationMb }: WorkerOptions = {},
): WorkerHandle<In> {
  const resourceLimits = youngGenerationMb === undefined ? {} : { maxYoungGenerationSizeMb: youngGenerationMb }
  const worker = new Worker(url, { workerData: data, resourceLimits })
  let failure: Error | undefined
  worker.on('message', (message: Out) => handlers.onMessage(message))
  worker.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error))
  })
  worker.on('exit', (code) => handlers.onExit(code, failure))
  worker.unref()
  return {
    // A thread has no origin: the second parameter of the browser's postMessage does not exist here.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    post: (message) => worker.postMessage(message),
    keepAlive: (isBusy = true) => {
      worker[isBusy ? 'ref' : 'unref']()
    },
    terminate: async () => {
      await worker.terminate()
    },
  }
}

export interface Parent<Data, Out> {
  data: Data
  post(message: Out): void
  /** The thread ends by itself when nothing else keeps it busy. */
  disconnect(): void
}

/**
 * For the module that runs in the thread.
 * @throws Error outside a worker thread
 */
export function connectToParent<Data, Out>(onMessage: (message: unknown) => void): Parent<Data, Out> {
  const port = parentPort
  if (!port) throw new Error('This module runs in a worker thread only.')
  port.on('message', onMessage)
  return {
    data: workerData as Data,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    post: (message) => port.postMessage(message),
    // Deno's port cannot be closed; there the thread is ended.
    disconnect: () => ('close' in port ? port.close() : process.exit()),
  }
}
