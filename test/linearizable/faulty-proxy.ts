/**
 * A proxy in front of a server of S3 that spoils some requests, as networks do:
 *
 * | fault | what the client sees | what the server does |
 * |---|---|---|
 * | `reset-after` | its connection is reset | the whole request |
 * | `reset-late` | its connection is reset at once | the whole request, up to 3 s later |
 * | `reset-before` | its connection is reset | nothing |
 * | `cut` | the head and half of the answer, then a reset | the whole request |
 * | `slow-down` | 503 SlowDown | nothing |
 * | `delay-before`, `delay-after` | the answer, up to 0.4 s later | the whole request, later or at once |
 */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../processes/chance.ts'

const FAULTS = {
  'reset-after': 0.012,
  'reset-late': 0.008,
  'reset-before': 0.008,
  cut: 0.012,
  'slow-down': 0.008,
  'delay-before': 0.05,
  'delay-after': 0.05,
}
type Fault = keyof typeof FAULTS

interface Reply {
  status: number
  headers: string[]
  body: Buffer
}

const SLOW_DOWN: Reply = {
  status: 503,
  headers: ['content-type', 'application/xml'],
  body: Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>',
  ),
}

export class FaultyProxy {
  /** Whether requests are spoiled. */
  spoils = false
  readonly counts: Partial<Record<Fault | 'requests', number>> = {}
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #target: URL
  readonly #chance: Chance

  private constructor(target: string, chance: Chance) {
    this.#target = new URL(target)
    this.#chance = chance
    this.#server = createServer((asked, answer) => {
      // A broken connection ends what is done for it: the client is gone.
      void this.#serve(asked, answer).catch(() => answer.socket?.resetAndDestroy())
    })
    this.#server.keepAliveTimeout = 60_000
  }

  static async start(target: string, chance: Chance): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, chance)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
    this.#agent.destroy()
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bodyOf(asked)
    const fault = this.#draw()
    this.#count('requests')
    if (fault !== undefined) this.#count(fault)
    if (fault?.startsWith('reset') !== true && fault !== 'cut') {
      if (fault === 'delay-before') await sleep(this.#chance.below(400))
      const reply = fault === 'slow-down' ? SLOW_DOWN : await this.#forward(asked, body)
      if (fault === 'delay-after') await sleep(this.#chance.below(400))
      answer.writeHead(reply.status, reply.headers)
      answer.end(reply.body)
      return
    }
    if (fault === 'reset-late') {
      answer.socket?.resetAndDestroy()
      await sleep(this.#chance.below(3_000))
    }
    if (fault !== 'reset-before') {
      const { status, headers, body: content } = await this.#forward(asked, body)
      if (fault === 'cut' && content.length > 1) {
        answer.writeHead(status, headers)
        await new Promise<void>((done) => answer.write(content.subarray(0, content.length >> 1), () => done()))
      }
    }
    answer.socket?.resetAndDestroy()
  }

  #draw(): Fault | undefined {
    if (!this.spoils) return undefined
    let roll = this.#chance.next()
    for (const [fault, share] of Object.entries(FAULTS)) {
      if (roll < share) return fault as Fault
      roll -= share
    }
    return undefined
  }

  #count(what: Fault | 'requests'): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  /** The request as it is, its Host header included, which the signature covers. */
  async #forward(asked: IncomingMessage, body: Buffer): Promise<Reply> {
    const { hostname, port } = this.#target
    const onward = request({
      hostname,
      port,
      agent: this.#agent,
      method: asked.method ?? 'GET',
      path: asked.url ?? '/',
      headers: asked.rawHeaders,
      setHost: false,
    })
    onward.end(body)
    const [got] = (await once(onward, 'response')) as [IncomingMessage]
    return { status: got.statusCode ?? 502, headers: got.rawHeaders, body: await bodyOf(got) }
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
