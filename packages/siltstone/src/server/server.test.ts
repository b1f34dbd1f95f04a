import { Agent } from 'node:http'
import * as openTelemetry from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import type { Collection, Engine } from '../model/store.ts'
import { ModelEngine } from '../testing/model.ts'
import { Recorder } from '../testing/recorder.ts'
import { PrometheusMetrics } from './metrics.ts'
import type { RunningServer } from './server.ts'
import { send, sendBytes, startTestServer } from './testing/server.ts'
import { tracingOver } from './tracing.ts'

const DATABASE = '/api/v2/tenants/default_tenant/databases/default_database'

const JSON_TYPE = { 'content-type': 'application/json' }

const running: RunningServer[] = []
const started = async (...options: Parameters<typeof startTestServer>) => {
  const server = await startTestServer(...options)
  running.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

/** An engine whose `count` waits until it is let go, and which notes that it was closed. */
function slowEngine() {
  const engine = new ModelEngine()
  const events: string[] = []
  let letGo = () => {}
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let reached = () => {}
  const counting = new Promise<void>((resolve) => {
    reached = resolve
  })
  const slow: Engine = {
    catalog: engine.catalog,
    collection: async (...path) => {
      const collection = await engine.collection(...path)
      const count: Collection['count'] = async () => {
        reached()
        await released
        events.push('counted')
        return collection.count()
      }
      return new Proxy(collection, {
        get: (target, key) => (key === 'count' ? count : Reflect.get(target, key, target)),
      })
    },
    close: async () => {
      events.push('closed')
    },
  }
  return { engine: slow, events, letGo, counting }
}

async function makeCollection(url: string): Promise<string> {
  const answer = await fetch(`${url}${DATABASE}/collections`, {
    method: 'POST',
    body: '{"name":"things"}',
    headers: JSON_TYPE,
  })
  const { id } = (await answer.json()) as { id: string }
  return `${url}${DATABASE}/collections/${id}`
}

describe('the server', () => {
  it('answers over HTTP', async () => {
    const { url, port } = await started()
    expect(url).toBe(`http://127.0.0.1:${port}`)
    const answer = await fetch(`${url}/api/v2/version`)
    expect([answer.status, await answer.json()]).toEqual([200, '1.0.0'])
  })

  it('names the remedy when its port is taken or its host is invalid', async () => {
    const { port } = await started()
    await expect(started({ port })).rejects.toMatchObject({ kind: 'unavailable', code: 'port-in-use' })
    await expect(started({ host: '256.0.0.1' })).rejects.toMatchObject({ kind: 'invalid', code: 'bad-host' })
  })

  it('refuses other protocols and keeps running', async () => {
    const { url, port } = await started()
    const bad = [
      'nonsense\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /api/v2/version HTTP/1.1\r\n\r\n',
      'GET /api/v2/version HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
      `GET /api/v2/version HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
      'POST /api/v2/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
      'POST /api/v2/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'POST /api/v2/tenants HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnot-hex\r\n',
    ]
    for (const text of bad) expect(await sendBytes(port, text), text.slice(0, 60)).toMatch(/^HTTP\/1\.1 4\d\d/)
    expect(
      (
        await sendBytes(
          port,
          Uint8Array.from({ length: 4096 }, (_, i) => (i * 7) % 256),
        )
      ).startsWith('HTTP/1.1 400'),
    ).toBe(true)
    expect((await fetch(`${url}/api/v2/version`)).status).toBe(200)
  })

  it('does not count a client that disconnects during its body as a failure', async () => {
    const log = new Recorder()
    const { url, port } = await started({ log })
    const head =
      'POST /api/v2/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na'
    const { connect } = await import('node:net')
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(head, () => setImmediate(() => socket.destroy())))
      socket.on('close', () => resolve())
    })
    expect((await fetch(`${url}/api/v2/version`)).status).toBe(200)
    expect(log.eventsNamed('request_failed')).toEqual([])
  })

  it('refuses bodies over the limit, and serves the next request', async () => {
    const { url } = await started({ limits: { maxBodyBytes: 1_000 } })
    const big = JSON.stringify({ name: 'x'.repeat(2_000) })
    const answer = await fetch(`${url}/api/v2/tenants`, { method: 'POST', body: big, headers: JSON_TYPE })
    expect([answer.status, await answer.text()]).toEqual([413, 'Payload too large'])
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < 50; i++) controller.enqueue(new Uint8Array(100).fill(32))
        controller.close()
      },
    })
    const chunked = await fetch(`${url}/api/v2/tenants`, {
      method: 'POST',
      body: chunks,
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(413)
    expect((await fetch(`${url}/api/v2/version`)).status).toBe(200)
  })

  it('shows metrics, counted by route', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false })
    const { url } = await started({ metrics, openMetrics: metrics })
    await fetch(`${url}/api/v2/tenants/default_tenant`)
    await fetch(`${url}/api/v2/tenants/other`)
    const answer = await fetch(`${url}/metrics`)
    expect(answer.headers.get('content-type')).toContain('application/openmetrics-text')
    const text = await answer.text()
    const labels = (status: number) => `method="GET",route="/api/v2/tenants/{tenant}",status="${status}"`
    expect(text).toContain(`siltstone_request_duration_ms_count{${labels(200)}} 1`)
    expect(text).toContain(`siltstone_request_duration_ms_count{${labels(404)}} 1`)
  })

  it('warns when every client on the network may do everything', async () => {
    const log = new Recorder()
    await started({ host: '0.0.0.0', log })
    expect(log.eventsNamed('no_authentication')).toHaveLength(1)
    const quiet = new Recorder()
    await started({ log: quiet })
    expect(quiet.eventsNamed('no_authentication')).toEqual([])
  })
})

describe('closing', () => {
  it('completes requests in flight, then closes the engine, and accepts no others', async () => {
    const { engine, events, letGo, counting } = slowEngine()
    const server = await started({ engine })
    const collection = await makeCollection(server.url)
    const agent = new Agent({ keepAlive: true })
    const inFlight = send(`${collection}/count`, agent)
    await counting
    const closed = server.close()
    await expect(fetch(`${server.url}/api/v2/version`)).rejects.toThrow('fetch failed')
    expect(events).toEqual([])
    letGo()
    const answer = await inFlight
    expect([answer.status, answer.text, answer.headers.connection]).toEqual([200, '0', 'close'])
    await closed
    expect(events).toEqual(['counted', 'closed'])
    await server.close()
    expect(events).toEqual(['counted', 'closed'])
    agent.destroy()
  })

  it('does not wait for idle connections', async () => {
    const log = new Recorder()
    const server = await started({ log, timeouts: { closeMs: 3_600_000 } })
    const agent = new Agent({ keepAlive: true })
    await send(`${server.url}/api/v2/version`, agent)
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1)
    // Far longer than this test may take.
    await server.close()
    expect(log.events.filter(({ level }) => level === 'warn')).toEqual([])
    agent.destroy()
  })

  it('cuts off requests that take too long', async () => {
    const { engine, events, counting } = slowEngine()
    const log = new Recorder()
    const server = await started({ engine, log, timeouts: { closeMs: 200 } })
    const collection = await makeCollection(server.url)
    const agent = new Agent({ keepAlive: true })
    const inFlight = send(`${collection}/count`, agent)
    const failure = inFlight.then(
      () => undefined,
      (error: unknown) => error,
    )
    await counting
    await server.close()
    expect(await failure).toMatchObject({ code: 'ECONNRESET' })
    expect(events).toEqual(['closed'])
    expect(log.eventsNamed('requests_cut_off')).toEqual([{ inFlight: 1 }])
    agent.destroy()
  })

  it('reports that the engine cannot close, and stops tracing anyway', async () => {
    const stopped: string[] = []
    const engine = new ModelEngine()
    const server = await startTestServer({
      engine: {
        catalog: engine.catalog,
        collection: (...path) => engine.collection(...path),
        close: async () => {
          throw new Error('disk is full')
        },
      },
      tracing: tracingOver(openTelemetry, async () => {
        stopped.push('tracing')
      }),
    })
    await expect(server.close()).rejects.toThrow('disk is full')
    expect(stopped).toEqual(['tracing'])
  })
})
