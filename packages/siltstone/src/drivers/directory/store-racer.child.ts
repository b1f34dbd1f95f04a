/** A process that competes with others for the objects of one directory, started by the tests of the directory store. */
import { DatabaseSync } from 'node:sqlite'
import { openDirectoryObjectStore } from './directory-object-store.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'

const [root = '', task = '', count = '0'] = process.argv.slice(2)
const store = await openDirectoryObjectStore(root, { clock: systemClock, random: systemRandom })

/** Referenced here so that it is not garbage-collected. */
let held: DatabaseSync | undefined

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
  if (task === 'hold-lock') return holdLock()
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

/** Increments a counter repeatedly by compare-and-swap. The counter's object repeats the number in many lines. */
async function increment(): Promise<number> {
  let lost = 0
  for (let done = 0; done < Number(count); ) {
    const got = await store.get('counter')
    if (got.status !== 'ok' || got.etag === undefined) throw new Error(`the counter is ${got.status}`)
    const next = Number.parseInt(Buffer.from(got.body).toString(), 10) + 1
    const result = await store.put('counter', Buffer.from(`${next}\n`.repeat(2000)), { ifMatch: got.etag })
    if (result.status === 'ok') done++
    else lost++
  }
  return lost
}

function holdLock(): Promise<string> {
  held = new DatabaseSync(`${root}/.siltstone/lock.sqlite`)
  held.exec('BEGIN IMMEDIATE')
  return Promise.resolve('held')
}
