/** Threads with a limit of memory, and typed messages. */
import { setInterval } from 'node:timers'
import { parentPort, Worker, workerData } from 'node:worker_threads'

export interface ThreadHandlers<Out> {
  onMessage(message: Out): void
  /** Called once, when the thread has ended; `isOutOfMemory`: because it reached its limit. */
  onExit(error: Error | undefined, isOutOfMemory: boolean): void
}

export interface Thread<In> {
  post(message: In, transfer?: ArrayBuffer[]): void
  /** Whether the process stays alive for the sake of this thread; at first it does not. */
  keepAlive(isBusy: boolean): void
  terminate(): Promise<void>
}

const CHECK_MS = 250

/** @param memoryBytes of JavaScript objects, and of buffers, which engines do not count among them */
export function startThread<In, Out>(
  url: URL,
  data: unknown,
  memoryBytes: number,
  handlers: ThreadHandlers<Out>,
): Thread<In> {
  const worker = new Worker(url, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memoryBytes / 2 ** 20) },
  })
  let failure: Error | undefined
  let isOutOfMemory = false
  const check = setInterval(() => {
    // Node before 22.16 cannot tell; there only objects are limited.
    if (!('getHeapStatistics' in worker)) return
    worker.getHeapStatistics().then(
      ({ external_memory: externalBytes, used_heap_size: heapBytes }) => {
        if (externalBytes + heapBytes <= memoryBytes) return
        isOutOfMemory = true
        void worker.terminate()
      },
      // The thread has ended in the meantime.
      () => undefined,
    )
  }, CHECK_MS)
  check.unref()
  worker.on('message', (message: Out) => handlers.onMessage(message))
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error))
    isOutOfMemory ||= 'code' in failure && failure.code === 'ERR_WORKER_OUT_OF_MEMORY'
  })
  worker.on('exit', () => {
    clearInterval(check)
    handlers.onExit(failure, isOutOfMemory)
  })
  worker.unref()
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    keepAlive: (isBusy) => {
      if (isBusy) worker.ref()
      else worker.unref()
    },
    terminate: async () => void (await worker.terminate()),
  }
}

export interface ParentPort<Data, Out> {
  readonly data: Data
  readonly post: (message: Out) => void
}

/** For the module that runs in the thread. @throws Error outside a thread */
export function connectThread<Data, Out>(onMessage: (message: unknown) => void): ParentPort<Data, Out> {
  const port = parentPort
  if (!port) throw new Error('This module runs in a thread only.')
  port.on('message', onMessage)
  return {
    data: workerData as Data,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    post: (message) => port.postMessage(message),
  }
}

/** Calls back after a time, without keeping the process alive. @returns a function that cancels it */
export function after(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

export function every(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms)
  timer.unref()
  return () => clearInterval(timer)
}
