/** The process that runs processors, one job after the other. Everything that a job needs of its caller is a message. */
import { builtInProcessors } from '../built-in.ts'
import { watchChildren } from '../host/children.ts'
import { connectParent } from '../host/job-process.ts'
import { tesseractOcr } from '../ocr/tesseract-ocr.ts'
import type { ProcessContext, Processor, RandomAccess } from '../processor.ts'
import { CallFailed, type FromJob, type Method, plainError, type JobData, type ToJob } from './messages.ts'

type Start = Extract<ToJob, { kind: 'start' }>

const calls = new Map<number, PromiseWithResolvers<unknown>>()
let lastCall = 0
let controller = new AbortController()

const { data, post } = connectParent<JobData, FromJob>((received) => {
  const message = received as ToJob
  if (message.kind === 'abort') controller.abort(new Error(message.reason))
  else if (message.kind === 'answer') {
    const waiting = calls.get(message.call)
    calls.delete(message.call)
    if (message.failed === undefined) waiting?.resolve(message.value)
    else waiting?.reject(new CallFailed(message.call, message.failed))
  } else void run(message)
})
watchChildren({
  started: (pid) => post({ kind: 'child', pid, isRunning: true }),
  ended: (pid) => post({ kind: 'child', pid, isRunning: false }),
})
// A parser may drop a promise of its own that fails, as pdf.js does with some damaged files. What matters to a job reaches
// it by the promises that it awaits; without this listener such a file would end the process with an error that may pass.
process.on('unhandledRejection', () => undefined)
const ocr = data.ocr === undefined ? undefined : tesseractOcr({ languages: data.ocr })
const loaded = load()
// A job that is started gets this error; before that there is no caller to tell.
loaded.catch(() => undefined)

async function load(): Promise<Processor[]> {
  const modules = await Promise.all(data.modules.map((url) => import(url) as Promise<{ default: Processor }>))
  return [...modules.map((module) => module.default), ...builtInProcessors(data.settings)]
}

async function run(job: Start): Promise<void> {
  controller = new AbortController()
  try {
    const processor = (await loaded).find(({ name }) => name === job.processor)
    if (!processor) throw new Error(`the process has no processor ${job.processor}`)
    post({
      kind: 'done',
      summary: await processor.process(access(0, job.sizeBytes), contextOf(job, controller.signal)),
    })
  } catch (error) {
    post({ kind: 'failed', error: plainError(error) })
  }
}

function call<T>(method: Method, ...args: unknown[]): Promise<T> {
  const waiting = Promise.withResolvers<unknown>()
  calls.set(++lastCall, waiting)
  post({ kind: 'call', call: lastCall, method, args })
  return waiting.promise as Promise<T>
}

const access = (source: number, sizeBytes: number): RandomAccess => ({
  sizeBytes,
  read: (offset, length) => call('read', source, offset, length),
})

function contextOf({ scratch, name, has }: Start, signal: AbortSignal): ProcessContext {
  return {
    signal,
    heartbeat: (step) => call('heartbeat', step),
    emit: (record) => call('emit', record),
    putDerived: (file, bytes, contentType) => call('putDerived', file, bytes, contentType),
    embedText: (texts) => call('embedText', texts),
    scratch: { path: scratch, freeBytes: () => call('freeBytes') },
    ...(name !== undefined && { name }),
    ...(has.includes('publish') && { publish: (steps) => call('publish', steps) }),
    ...(has.includes('embedImage') && { embedImage: (images) => call('embedImage', images) }),
    ...(has.includes('transcribe') && { transcribe: (pcm) => call('transcribe', pcm) }),
    ...(ocr && { readText: (image) => ocr.readText(image, signal) }),
    ...(has.includes('readText') && { readText: (image) => call('readText', image) }),
    ...(has.includes('sibling') && {
      sibling: async (extension) => {
        const found = await call<{ source: number; sizeBytes: number } | undefined>('sibling', extension)
        return found && access(found.source, found.sizeBytes)
      },
    }),
  }
}
