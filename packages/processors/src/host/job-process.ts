/**
 * Child processes with a limit of memory, and typed messages. A thread would not do: V8 ends the whole process when the
 * heap of a thread passes its limit faster than it can be stopped (`Reached heap limit`), and then one hostile file ends
 * the worker that reads it, or the server.
 *
 * A guard thread in the child ends the child when it uses too much memory, buffers and native libraries included, and when
 * its parent has died. Both also happen while the child's main thread is busy.
 */
import { fork } from 'node:child_process'
import { setInterval } from 'node:timers'
import { Worker } from 'node:worker_threads'

export interface JobHandlers<Out> {
  onMessage(message: Out): void
  /** Called once, when the process has ended; `isOutOfMemory`: because it reached its limit. */
  onExit(error: Error | undefined, isOutOfMemory: boolean): void
}

export interface JobHandle<In> {
  post(message: In): void
  /** Whether this process stays alive for the sake of the child; at first it does not. */
  keepAlive(isBusy: boolean): void
  terminate(): Promise<void>
}

/** How V8 and the guard end a process that has used too much memory. */
const OUT_OF_MEMORY = 'SIGABRT'
/** What Node and the modules of the processors take before a file is read. */
const BASE_BYTES = 160 * 1024 * 1024
const GUARD_MS = 100

/**
 * @param module runs in the child; it calls `connectParent`
 * @param data plain JSON
 * @param memoryBytes beyond what a child needs that reads nothing
 */
export function startJobProcess<In, Out>(
  module: URL,
  data: unknown,
  memoryBytes: number,
  handlers: JobHandlers<Out>,
): JobHandle<In> {
  const child = fork(module, [JSON.stringify({ data, limitBytes: memoryBytes + BASE_BYTES })], {
    execArgv: [`--max-old-space-size=${Math.ceil((memoryBytes + BASE_BYTES) / 2 ** 20)}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  let failure: Error | undefined
  const { promise: hasEnded, resolve } = Promise.withResolvers<void>()
  const end = (isOutOfMemory: boolean) => {
    resolve()
    handlers.onExit(failure, isOutOfMemory)
  }
  child.on('message', (message) => handlers.onMessage(message as Out))
  child.on('error', (error) => {
    failure = error
    // It was never started, so it does not exit either.
    if (child.pid === undefined) end(false)
  })
  child.on('exit', (code, signal) => {
    if (code !== 0 && signal === null) failure ??= new Error(`the process of the job ended with ${code}`)
    end(signal === OUT_OF_MEMORY)
  })
  const keepAlive = (isBusy: boolean) => {
    child[isBusy ? 'ref' : 'unref']()
    child.channel?.[isBusy ? 'ref' : 'unref']()
  }
  keepAlive(false)
  return {
    post(message) {
      // A process that has ended tells so by its exit.
      if (child.connected) child.send(message as object)
    },
    keepAlive,
    async terminate() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      // A caller that waits for the end keeps this process alive.
      keepAlive(true)
      child.kill('SIGKILL')
      await hasEnded
    },
  }
}

export interface Parent<Data, Out> {
  readonly data: Data
  readonly post: (message: Out) => void
}

const GUARD = `
const { workerData } = require('node:worker_threads')
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  if (process.memoryUsage.rss() > workerData.limitBytes) process.kill(process.pid, workerData.signal)
}, workerData.everyMs)`

/** For the module that runs in the child. @throws Error in any other process */
export function connectParent<Data, Out>(onMessage: (message: unknown) => void): Parent<Data, Out> {
  const given = process.argv[2]
  if (!process.send || given === undefined) throw new Error('This module runs in a process of a job only.')
  const { data, limitBytes } = JSON.parse(given) as { data: Data; limitBytes: number }
  const workerData = { limitBytes, signal: OUT_OF_MEMORY, everyMs: GUARD_MS }
  new Worker(GUARD, { eval: true, workerData }).unref()
  process.on('message', onMessage)
  process.on('disconnect', () => process.exit())
  return { data, post: (message) => void process.send?.(message) }
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
