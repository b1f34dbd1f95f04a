/** The process of one candidate. Started by `startCandidate`. */
import { readMatrix } from '../data/matrix.ts'
import type { Candidate, CandidateOptions } from './candidate.ts'
import type { Message, OpenAnswer, RunAnswer, RunMessage } from './messages.ts'

let candidate: Candidate | undefined
let dimension = 0
let queries: unknown[] = []
const filters = new Map<string, unknown>()

process.on('message', (message) => {
  void answer(message as Message)
})

async function answer(message: Message): Promise<void> {
  try {
    process.send?.(await handle(message))
    if (message.kind === 'close') process.disconnect()
  } catch (error) {
    process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function handle(message: Message): Promise<unknown> {
  if (message.kind === 'start') {
    candidate = await create(message.candidate, message.options)
    dimension = message.options.dimension
    return 'ready'
  }
  if (!candidate) throw new Error('not started')
  if (message.kind === 'build') return candidate.build(message.source)
  if (message.kind === 'open') return open(candidate, message.queries)
  if (message.kind === 'run') return run(candidate, message)
  await candidate.close()
  return 'closed'
}

/** Each candidate has its own native library, so only the one in use is loaded. */
async function create(name: string, options: CandidateOptions): Promise<Candidate> {
  if (name.startsWith('siltstone')) return new (await import('./siltstone.ts')).SiltstoneCandidate(options)
  if (name === 'hnswlib') return new (await import('./hnswlib.ts')).HnswlibCandidate(options)
  if (name === 'usearch') return new (await import('./usearch.ts')).UsearchCandidate(options)
  if (name === 'lancedb') return new (await import('./lancedb.ts')).LanceCandidate(options)
  throw new Error(`no candidate is called ${name}`)
}

async function open(one: Candidate, path: string): Promise<OpenAnswer> {
  const matrix = readMatrix(path)
  queries = Array.from({ length: matrix.length / dimension }, (_, i) =>
    one.prepare(matrix.subarray(i * dimension, (i + 1) * dimension)),
  )
  const startedMs = performance.now()
  await one.open()
  return { seconds: (performance.now() - startedMs) / 1000 }
}

async function run(one: Candidate, message: RunMessage): Promise<RunAnswer> {
  const { value, k, count, warmUp, budgetMs, filterName } = message
  await one.set(value)
  if (message.filter && !filters.has(filterName)) {
    if (!one.filter) throw new Error('has no filters')
    filters.set(filterName, one.filter(message.filter))
  }
  const filter = filters.get(filterName)
  const once = async (index: number) => {
    const result = one.search(queries[index % queries.length], k, filter)
    return result instanceof Promise ? await result : result
  }
  const warmUntilMs = performance.now() + budgetMs / 2
  for (let i = 0; i < warmUp && performance.now() < warmUntilMs; i++) await once(i)
  const timesMs: number[] = []
  const found: RunAnswer['found'] = []
  const before = process.cpuUsage()
  const untilMs = performance.now() + budgetMs
  for (let i = 0; i < count && performance.now() < untilMs; i++) {
    const startedMs = performance.now()
    const result = await once(i)
    timesMs.push(performance.now() - startedMs)
    found.push(result)
  }
  const { user, system } = process.cpuUsage(before)
  return { timesMs, found, cpuSeconds: (user + system) / 1e6 }
}
