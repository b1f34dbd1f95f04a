import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { IncomingBody } from './incoming-body.ts'

const MIB = 1024 * 1024
const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

/** What a server receives that has begun to answer nothing, and the client that sends it. */
async function sending(headers: Record<string, string | number> = {}) {
  const server = createServer()
  opened.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = request({ port: (server.address() as AddressInfo).port, method: 'PUT', headers })
  client.on('error', () => undefined)
  client.flushHeaders()
  const [incoming] = (await once(server, 'request')) as [IncomingMessage]
  return { client, incoming }
}

const bodyOf = (incoming: IncomingMessage) =>
  new IncomingBody(incoming, (cause) => new Error('the body is incomplete', { cause }))

const drained = async (body: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

describe('the body of a request', () => {
  it('is read whole, in order, by a slow reader, and not far ahead of it', async () => {
    const { client, incoming } = await sending()
    const sent = Buffer.alloc(16 * MIB)
    for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE(at, at)
    client.end(sent)
    const body = bodyOf(incoming)
    const chunks: Uint8Array[] = []
    let mostAhead = 0
    for await (const chunk of body) {
      chunks.push(Buffer.from(chunk))
      if (chunks.length % 16 === 0) await new Promise((resolve) => void setImmediate(resolve))
      mostAhead = Math.max(mostAhead, incoming.readableLength)
    }
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
    expect(mostAhead).toBeLessThan(2 * MIB)
  })

  it('may be empty, or have come before it is read', async () => {
    const { client, incoming } = await sending({ 'content-length': 5 })
    client.end('early')
    await new Promise((resolve) => void setImmediate(resolve))
    expect((await drained(bodyOf(incoming))).toString()).toBe('early')
    // Once it was read, there is no more.
    expect(await drained(bodyOf(incoming))).toHaveLength(0)
    const empty = await sending({ 'content-length': 0 })
    empty.client.end()
    expect(await drained(bodyOf(empty.incoming))).toHaveLength(0)
  })

  it('ends with an error when the client goes away, after what has come', async () => {
    const { client, incoming } = await sending({ 'content-length': 100 })
    client.write('a part of it')
    const body = bodyOf(incoming)
    expect(Buffer.from((await body.next()).value ?? '').toString()).toBe('a part of it')
    const next = body.next()
    client.destroy()
    await expect(next).rejects.toMatchObject({ message: 'the body is incomplete', cause: expect.any(Error) })
  })

  it('that is left in the middle leaves the connection open, and the rest to whoever wants it', async () => {
    const { client, incoming } = await sending({ 'content-length': 4 * MIB })
    client.end(Buffer.alloc(4 * MIB))
    for await (const chunk of bodyOf(incoming)) if (chunk.length > 0) break
    expect(incoming.destroyed).toBe(false)
    const ended = once(incoming, 'end')
    incoming.resume()
    await ended
    expect(incoming.complete).toBe(true)
  })
})
