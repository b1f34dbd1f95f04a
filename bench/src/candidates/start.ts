import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type ProcessUsage, processUsage } from '../measure/process-usage.ts'
import type { BuildSource, CandidateOptions, Knob } from './candidate.ts'
import type { BuildAnswer, Failure, Message, OpenAnswer, RunAnswer, RunMessage } from './messages.ts'

export interface CandidateProcess {
  name: string
  build(source: BuildSource): Promise<BuildAnswer>
  open(queries: string): Promise<OpenAnswer>
  run(message: Omit<RunMessage, 'kind'>): Promise<RunAnswer>
  usage(): ProcessUsage
  close(): Promise<void>
}

const RECALL: Knob = { name: 'recall ‰', values: [500, 800, 900, 950, 980, 990, 995, 999] }

/** The values of each candidate's knob, unless `--values` gives others. */
export const KNOBS: Record<string, Knob> = {
  siltstone: RECALL,
  'siltstone-full': RECALL,
  hnswlib: { name: 'ef', values: [10, 20, 40, 80, 160, 320] },
  usearch: { name: 'expansion', values: [16, 32, 64, 128, 256] },
  lancedb: { name: 'nprobes', values: [5, 10, 20, 40, 80] },
}

/** Sends a message and waits for its answer. @throws Error if the process fails or ends instead */
function answerer(name: string, child: ChildProcess) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of ${name} exited with ${String(code)}`)
  })
  // A process that ends later, on request, must not cause an unhandled rejection.
  ended.catch(() => undefined)
  return async <T>(message: Message): Promise<T> => {
    // Removes the listener if the process ends first.
    const waiting = new AbortController()
    try {
      const answered = once(child, 'message', { signal: waiting.signal })
      child.send(message)
      const [answer] = (await Promise.race([answered, ended])) as [T | Failure]
      if (answer !== null && typeof answer === 'object' && 'failed' in answer)
        throw new Error(`${name}: ${answer.failed}`)
      return answer as T
    } finally {
      waiting.abort()
    }
  }
}

export async function startCandidate(name: string, options: CandidateOptions): Promise<CandidateProcess> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: ['--expose-gc'],
  })
  const ask = answerer(name, child)
  await ask({ kind: 'start', candidate: name, options })
  return {
    name,
    build: (source) => ask<BuildAnswer>({ kind: 'build', source }),
    open: (queries) => ask<OpenAnswer>({ kind: 'open', queries }),
    run: (message) => ask<RunAnswer>({ kind: 'run', ...message }),
    usage: () => processUsage(child.pid as number),
    close: async () => {
      const exited = once(child, 'exit')
      await ask({ kind: 'close' })
      await exited
    },
  }
}
