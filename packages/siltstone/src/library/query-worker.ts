/** A thread that answers queries: an environment and an engine of its own that never write, like another process. */
import { StoreEngine } from '../engine/engine.ts'
import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import { openEnvironmentAt } from '../drivers/open-environment.ts'
import { connectToParent } from '../host/worker.ts'
import { type FromQueryThread, type QueryThreadData, sendable, type ToQueryThread } from './query-messages.ts'

let stop = () => {}
const stopped = new Promise<void>((resolve) => {
  stop = resolve
})
const waiting: ToQueryThread[] = []
let receive = (message: ToQueryThread) => {
  waiting.push(message)
}
const parent = connectToParent<QueryThreadData, FromQueryThread>((message) => receive(message as ToQueryThread))

const { place, allowNetworkFilesystem, blockCacheBytes } = parent.data
const env = await openEnvironmentAt(place, { allowNetworkFilesystem, readOnly: true })
const engine = await StoreEngine.open({ env, blockCacheBytes })

async function answer(message: Exclude<ToQueryThread, { kind: 'stop' }>): Promise<void> {
  const { number } = message
  try {
    const { tenant, database, id } = message.place
    const collection = await engine.collection(tenant, database, id)
    const response =
      message.kind === 'query' ? await collection.query(message.request) : await collection.search(message.request)
    parent.post({ kind: 'answer', number, response })
  } catch (error) {
    parent.post({ kind: 'failure', number, error: sendable(error) })
  }
}

receive = (message) => {
  if (message.kind === 'stop') stop()
  // It settles with the answer and never rejects.
  else void answer(message)
}
for (const message of waiting.splice(0)) receive(message)
parent.post({ kind: 'ready' })
await stopped
await engine.close()
await closeEnvironment(env)
parent.disconnect()
