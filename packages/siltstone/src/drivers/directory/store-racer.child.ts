/** A process that competes with others for the objects of one directory, started by the tests of the directory store. */
import { DatabaseSync } from 'node:sqlite'
import { openDirectoryObjectStore } from './directory-object-store.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'
import { answerParent, create, increment } from '../../testing/racer.ts'

const [root = '', task = '', count = '0'] = process.argv.slice(2)
const store = await openDirectoryObjectStore(root, { clock: systemClock, random: systemRandom })

/** Referenced here so that it is not garbage-collected. */
let held: DatabaseSync | undefined

answerParent(
  {
    create: () => create(store, Number(count)),
    increment: () => increment(store, Number(count), 2_000),
    'hold-lock': holdLock,
  },
  task,
)

function holdLock(): Promise<string> {
  held = new DatabaseSync(`${root}/.siltstone/lock.sqlite`)
  held.exec('BEGIN IMMEDIATE')
  return Promise.resolve('held')
}
