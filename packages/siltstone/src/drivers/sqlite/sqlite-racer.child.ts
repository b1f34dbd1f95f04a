/** A process that competes with others for the objects of one SQLite file, started by the tests of its store. */
import { systemClock } from '../../host/system-clock.ts'
import { openSqliteEnvironment } from './sqlite-environment.ts'

const [path = '', task = '', count = '0'] = process.argv.slice(2)
const { store } = await openSqliteEnvironment(`sqlite:///${path}`, { unsynced: true })

// The listener keeps the process alive until its parent disconnects.
process.on('message', () => {
  run().then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
process.send?.('ready')

async function run(): Promise<unknown> {
  if (task === 'create') return create()
  if (task === 'increment') return increment()
  if (task === 'write') return write()
  throw new Error(`unknown task ${task}`)
}

/** Returns the keys that this process created. */
async function create(): Promise<number[]> {
  const won: number[] = []
  for (let at = 0; at < Number(count); at++) {
    const result = await store.put(`race/${at}`, Buffer.from(`${process.pid}`), { ifAbsent: true })
    if (result.status === 'ok') won.push(at)
  }
  return won
}

/** Increments a counter by compare-and-swap, with content of many parts. Returns how often another process was first. */
async function increment(): Promise<number> {
  let lost = 0
  for (let done = 0; done < Number(count); ) {
    const got = await store.get('counter')
    if (got.status !== 'ok' || got.etag === undefined) throw new Error(`the counter is ${got.status}`)
    const next = Number.parseInt(Buffer.from(got.body).toString(), 10) + 1
    const result = await store.put('counter', Buffer.from(`${next}\n`.repeat(300_000)), { ifMatch: got.etag })
    if (result.status === 'ok') done++
    else lost++
    await systemClock.sleep(1)
  }
  return lost
}

/** Writes objects of two parts until it is killed; never answers. */
async function write(): Promise<void> {
  process.send?.('writing')
  for (let at = 0; ; at++) {
    await store.put(`written/${at}`, Buffer.alloc(300_000, at % 256), { ifAbsent: true })
  }
}
