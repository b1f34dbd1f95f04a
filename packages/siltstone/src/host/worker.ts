/**
 * Worker threads with typed messages. A worker does not keep the process that started it alive: when the process ends,
 * the worker ends at any point of its work, which must tolerate that.
 */
import { extname } from 'node:path'
import { parentPort, Worker, workerData } from 'node:worker_threads'

export interface WorkerHandlers<Out> {
  onMessage(message: Out): void
  /** Called once, when the thread has ended. `error`: what it threw and did not catch. */
  onExit(code: number, error: Error | undefined): void
}

export interface WorkerHandle<In> {
  post(message: In): void
  /** From now on the process does not end before the thread does. */
  keepAlive(): void
  /** Ends the thread at any point. Resolves when it has ended. */
  terminate(): Promise<void>
}

/**
 * @param url the module to run: `.ts` from source, `.js` from a build
 * @param data anything that can be cloned; the worker gets it from `connectToParent`
 */
export function startWorker<In, Out>(url: URL, data: unknown, handlers: WorkerHandlers<Out>): WorkerHandle<In> {
  const worker = new Worker(url, { workerData: data })
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
    keepAlive: () => {
      worker.ref()
    },
    terminate: async () => {
      await worker.terminate()
    },
  }
}

/** The URL of a module beside the caller, which passes its `import.meta.url`: `.ts` from source, `.js` from a build. */
export function workerModule(name: string, beside: string): URL {
  return new URL(`./${name}${extname(beside)}`, beside)
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
    disconnect: () => port.close(),
  }
}
