/** Processors that run in child processes, with limits of memory and time. */
import { builtInProcessors } from '../built-in.ts'
import { tesseractOcr } from '../ocr/tesseract-ocr.ts'
import type { Processor } from '../processor.ts'
import type { ProcessorSettings } from '../settings.ts'
import { type JobLimits, JobProcess } from './job.ts'

export interface IsolationOptions extends ProcessorSettings {
  /** Of one child process, beyond what it needs when it reads nothing. Default 1 GiB. */
  memoryBytes?: number
  /** The longest time of one step. Default 10 minutes. */
  stepMs?: number
  /** How often the caller's `heartbeat` is called while a job runs, however busy its process is. Default 10 s. */
  heartbeatMs?: number
  /** URLs of modules whose default exports are further processors; they are asked before the built-in ones. */
  modules?: readonly string[]
  /**
   * Languages of text in pictures, as `eng+deu`: each process reads them by tesseract.js, unless the context has a `readText`.
   * Default: pictures are not read.
   */
  ocr?: string
}

export interface IsolatedProcessors extends AsyncDisposable {
  readonly processors: readonly Processor[]
  /** Ends the processes; jobs that run fail. */
  close(): Promise<void>
}

const DEFAULTS: JobLimits = { memoryBytes: 1024 * 1024 * 1024, stepMs: 10 * 60_000, heartbeatMs: 10_000 }

/**
 * Each job has a process of its own while it runs; an idle process takes the next job, which then starts without loading.
 * @throws SiltstoneError as `tesseractOcr` does, if `ocr` is given
 */
export async function isolatedProcessors(options: IsolationOptions = {}): Promise<IsolatedProcessors> {
  const { modules = [], ocr, memoryBytes, stepMs, heartbeatMs, ...settings } = options
  const limits: JobLimits = {
    memoryBytes: memoryBytes ?? DEFAULTS.memoryBytes,
    stepMs: stepMs ?? DEFAULTS.stepMs,
    heartbeatMs: heartbeatMs ?? DEFAULTS.heartbeatMs,
  }
  // What is missing is said here, not by each job.
  if (ocr !== undefined) tesseractOcr({ languages: ocr })
  const own = await Promise.all(modules.map((url) => import(url) as Promise<{ default: Processor }>))
  const idle: JobProcess[] = []
  const all = new Set<JobProcess>()

  const take = (): JobProcess => {
    for (let job = idle.pop(); job; job = idle.pop()) if (job.isUsable) return job
    const job = new JobProcess(mainModule(), { settings, modules, ocr }, limits)
    all.add(job)
    return job
  }
  const giveBack = (job: JobProcess) => {
    if (job.isUsable) idle.push(job)
    else all.delete(job)
  }
  const isolated = ({
    name,
    version,
    accepts,
  }: Pick<Processor, 'name' | 'version'> & { accepts: Processor['accepts'] }): Processor => ({
    name,
    version,
    accepts,
    async process(source, ctx) {
      const job = take()
      try {
        return await job.run(name, source, ctx)
      } finally {
        giveBack(job)
      }
    },
  })
  const close = async () => {
    await Promise.all([...all].map((job) => job.end()))
    all.clear()
    idle.length = 0
  }
  const processors = [...own.map((module) => module.default), ...builtInProcessors(settings)]
  return {
    processors: processors.map((processor) =>
      isolated({
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
const mainModule = () => new URL(`./job-main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
