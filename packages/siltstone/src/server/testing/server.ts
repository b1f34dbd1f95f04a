/** A listening server over a model, for tests. */
import { request, type Agent, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { ModelEngine } from '../../testing/model.ts'
import { type RunningServer, type ServerOptions, startServer } from '../server.ts'

export function startTestServer(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return startServer({
    engine: new ModelEngine(),
    clock: systemClock,
    ids: systemIds(systemClock, systemRandom),
    log: silentLogger,
    metrics: noMetrics,
    port: 0,
    ...options,
  })
}

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A request over a connection of the agent's, which fetch hides. */
export function send(url: string, agent: Agent, method = 'GET', body?: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent, headers: { 'content-type': 'application/json' } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Sends bytes as they are and gives back all that comes until the server closes the connection. */
export function sendBytes(port: number, bytes: Uint8Array | string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    // A reset is one way of closing.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(bytes)
  })
}
