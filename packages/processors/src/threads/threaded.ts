/** Processors that run in threads, with limits of memory and time. */
import { builtInProcessors } from '../built-in.ts'
import type { Processor } from '../processor.ts'
import type { ProcessorSettings } from '../settings.ts'
import { type JobLimits, JobThread } from './job.ts'

export interface ThreadOptions extends ProcessorSettings {
  /** Of one thread, objects and buffers together. Default 1 GiB. */
  memoryBytes?: number
  /** The longest time of one step. Default 10 minutes. */
  stepMs?: number
  /** How often the caller's `heartbeat` is called while a job runs, however busy its thread is. Default 10 s. */
  heartbeatMs?: number
  /** URLs of modules whose default exports are further processors; they are asked before the built-in ones. */
  modules?: readonly string[]
}

export interface ThreadedProcessors extends AsyncDisposable {
  readonly processors: readonly Processor[]
  /** Ends the threads; jobs that run fail. */
  close(): Promise<void>
}

const DEFAULTS: JobLimits = { memoryBytes: 1024 * 1024 * 1024, stepMs: 10 * 60_000, heartbeatMs: 10_000 }

/** Each job has a thread of its own while it runs; an idle thread takes the next job, which then starts without loading. */
export async function threadedProcessors(options: ThreadOptions = {}): Promise<ThreadedProcessors> {
  const { modules = [], memoryBytes, stepMs, heartbeatMs, ...settings } = options
  const limits: JobLimits = {
    memoryBytes: memoryBytes ?? DEFAULTS.memoryBytes,
    stepMs: stepMs ?? DEFAULTS.stepMs,
    heartbeatMs: heartbeatMs ?? DEFAULTS.heartbeatMs,
  }
  const own = await Promise.all(modules.map((url) => import(url) as Promise<{ default: Processor }>))
  const idle: JobThread[] = []
  const all = new Set<JobThread>()

  const take = (): JobThread => {
    for (let thread = idle.pop(); thread; thread = idle.pop()) if (thread.isUsable) return thread
    const thread = new JobThread(threadModule(), { settings, modules }, limits)
    all.add(thread)
    return thread
  }
  const giveBack = (thread: JobThread) => {
    if (thread.isUsable) idle.push(thread)
    else all.delete(thread)
  }
  const threaded = ({
    name,
    version,
    accepts,
  }: Pick<Processor, 'name' | 'version'> & { accepts: Processor['accepts'] }): Processor => ({
    name,
    version,
    accepts,
    async process(source, ctx) {
      const thread = take()
      try {
        return await thread.run(name, source, ctx)
      } finally {
        giveBack(thread)
      }
    },
  })
  const close = async () => {
    await Promise.all([...all].map((thread) => thread.end()))
    all.clear()
    idle.length = 0
  }
  const processors = [...own.map((module) => module.default), ...builtInProcessors(settings)]
  return {
    processors: processors.map((processor) =>
      threaded({
        name: processor.name,
        version: processor.version,
        accepts: (type, head) => processor.accepts(type, head),
      }),
    ),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Sources run as they are; a build has compiled modules. */
const threadModule = () =>
  new URL(`./processor-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
