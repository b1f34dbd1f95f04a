/** A process that shares a coordination database with others, started by the tests of the SQLite queue and leases. */
import { openCoordinationDatabase } from './coordination-database.ts'
import { SqliteLeases } from './sqlite-leases.ts'
import { SqliteQueue } from './sqlite-queue.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'

const clock = systemClock
const [path = ''] = process.argv.slice(2)
const database = await openCoordinationDatabase(path, { clock, random: systemRandom })
const queue = new SqliteQueue(database, { clock })
const leases = new SqliteLeases(database, { clock })

const tasks: Record<string, () => Promise<unknown>> = {
  /** Returns the fencing numbers under which this process held the lease, 20 times. */
  lease: async () => {
    const held: number[] = []
    while (held.length < 20) {
      const result = await leases.acquire('shared', `${process.pid}`, 10_000)
      if (result.status === 'acquired') {
        held.push(result.fencing)
        await leases.release('shared', `${process.pid}`, result.fencing)
      }
      await clock.sleep(1)
    }
    return held
  },
  /** Returns the bodies that it received until none arrived for a while. */
  receive: async () => {
    const bodies: string[] = []
    for (;;) {
      const messages = await queue.receive({ maxMessages: 3, visibilityMs: 60_000, waitMs: 400 })
      if (messages.length === 0) return bodies
      for (const message of messages) {
        bodies.push(message.body)
        await queue.acknowledge(message)
      }
    }
  },
  send: async () => {
    for (let at = 0; at < 10; at++) await queue.send(`${process.pid}/${at}`)
    return 'sent'
  },
}

process.on('message', (task: string) => {
  const run = tasks[task] ?? (() => Promise.reject(new Error(`unknown task ${task}`)))
  run().then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
process.send?.('ready')
