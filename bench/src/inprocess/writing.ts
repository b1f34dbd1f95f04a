/** A process that upserts one record after another into one collection, for `writers.ts`. It answers one message. */
import { openEngine } from './open.ts'

export interface WrittenMessage {
  timesMs: number[]
  put: number
  list: number
  get: number
}

const [place, name, writer, writes, delayMs] = process.argv.slice(2) as [string, string, string, string, string]
const { counting, use, close } = await openEngine(place, delayMs === '0' ? {} : { delayMs: Number(delayMs) })
const { collection } = await use(name)

process.once('message', () => {
  void write()
})
process.send?.('ready')

async function write(): Promise<void> {
  counting.takeCounts()
  const timesMs: number[] = []
  for (let i = 0; i < Number(writes); i++) {
    const startedMs = performance.now()
    const vector = Float32Array.from({ length: 8 }, (_, at) => at + i)
    const none = { document: null, metadata: null, uri: null }
    await collection.write([{ op: 'upsert', id: `${writer}-${i}`, vector, ...none }])
    timesMs.push(performance.now() - startedMs)
  }
  const { put, list, get, head } = counting.takeCounts()
  const answer: WrittenMessage = { timesMs, put, list, get: get + head }
  process.send?.(answer)
  await close()
  process.disconnect()
}
