/** A process that competes with others for the objects of one SQLite file, started by the tests of its store. */
import { systemClock } from '../../host/system-clock.ts'
import { answerParent, create, increment } from '../../testing/racer.ts'
import { openSqliteEnvironment } from './sqlite-environment.ts'

const [path = '', task = '', count = '0'] = process.argv.slice(2)
const { store } = await openSqliteEnvironment(`sqlite:///${path}`, { unsynced: true })

answerParent(
  {
    create: () => create(store, Number(count)),
    // With content of many parts.
    increment: () => increment(store, Number(count), 300_000, () => systemClock.sleep(1)),
    write,
  },
  task,
)

/** Writes objects of two parts until it is killed; never answers. */
async function write(): Promise<void> {
  process.send?.('writing')
  for (let at = 0; ; at++) {
    await store.put(`written/${at}`, Buffer.alloc(300_000, at % 256), { ifAbsent: true })
  }
}
