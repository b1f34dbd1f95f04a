/** Sends heartbeats to the server in `workerData`. A message asks for the longest since the last one, in milliseconds. */
import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

/* oxlint-disable unicorn/require-post-message-target-origin -- a thread, not a window */

const EVERY_MS = 3
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let longestMs = 0
let sentMs = performance.now()

function beat(): Promise<void> {
  return new Promise((resolve, reject) => {
    sentMs = performance.now()
    get(`${workerData as string}/api/v2/heartbeat`, { agent }, (answer) => {
      answer.resume()
      answer.on('end', resolve)
    }).on('error', reject)
  })
}

// The first opens the connection.
await beat()
parentPort?.on('message', () => {
  parentPort?.postMessage(Math.max(longestMs, performance.now() - sentMs - EVERY_MS))
  longestMs = 0
})
parentPort?.postMessage('ready')
for (;;) {
  await beat()
  longestMs = Math.max(longestMs, performance.now() - sentMs)
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
}
