import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import type { RunningServer } from './server.ts'
import { testCertificate } from './testing/certificate.ts'
import { startTestServer } from './testing/server.ts'
import { readTls, renewTls, type TlsPair } from './tls.ts'

let folder: string
let running: RunningServer | undefined
let changes = 0
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-tls-'))
})
afterEach(async () => {
  await running?.close()
  running = undefined
  rmSync(folder, { recursive: true })
})

const files = () => ({ certPath: join(folder, 'cert.pem'), keyPath: join(folder, 'key.pem') })
const write = ({ cert, key }: TlsPair) => {
  const { certPath, keyPath } = files()
  writeFileSync(certPath, cert)
  writeFileSync(keyPath, key)
  // Two writes may fall into one tick of the file system's clock.
  const modified = new Date(Date.UTC(2026, 0, 1) + ++changes * 1_000)
  for (const path of [certPath, keyPath]) utimesSync(path, modified, modified)
}

/** The serial of the certificate that a new connection is shown, and the answer of /healthz. */
function ask({ port }: RunningServer, ca: string): Promise<{ serial: string; status: number }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path: '/healthz', ca, agent: false }, (answer) => {
      const serial = (answer.socket as TLSSocket).getPeerCertificate().serialNumber
      answer.resume().on('end', () => resolve({ serial, status: answer.statusCode ?? 0 }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

it('serves HTTPS, and a renewed certificate to new connections, without an end of the server', async () => {
  const first = testCertificate(1)
  write(first)
  running = await startTestServer({ tls: files() })
  expect(running.url).toMatch(/^https:\/\/127.0.0.1:\d+$/)
  expect(await ask(running, first.cert)).toEqual({ serial: '01', status: 200 })
  const second = testCertificate(2)
  write(second)
  await running.renewCertificate()
  expect(await ask(running, second.cert)).toEqual({ serial: '02', status: 200 })
  await expect(ask(running, first.cert)).rejects.toThrow('self-signed certificate')
})

it('keeps the certificate while the new files are wrong or half written', async () => {
  const first = testCertificate(1)
  write(first)
  running = await startTestServer({ tls: files() })
  for (const wrong of [
    { cert: testCertificate(2).cert, key: first.key },
    { cert: first.cert.slice(0, 100), key: first.key },
    { cert: first.cert, key: '' },
  ]) {
    write(wrong)
    await running.renewCertificate()
    expect(await ask(running, first.cert)).toEqual({ serial: '01', status: 200 })
  }
  rmSync(files().certPath)
  await running.renewCertificate()
  expect((await ask(running, first.cert)).status).toBe(200)
})

it('looks each minute whether the files have changed, until it is stopped', async () => {
  write(testCertificate(1))
  const clock = new ManualClock()
  const used: string[] = []
  const logged: string[] = []
  const log = {
    debug() {},
    info: (event: string) => logged.push(event),
    warn() {},
    error: (event: string) => logged.push(event),
  }
  const renewal = renewTls(files(), ({ cert }) => used.push(cert), { clock, log })
  await renewal.look()
  expect(used).toEqual([])
  const second = testCertificate(2)
  write(second)
  await renewal.look()
  await renewal.look()
  expect(used).toEqual([second.cert])
  write({ cert: second.cert, key: 'none' })
  await renewal.look()
  expect(logged).toEqual(['certificate_renewed', 'certificate_not_renewed'])
  renewal.stop()
  write(testCertificate(3))
  await renewal.look()
  expect(used).toHaveLength(1)
})

it('names the file and what is wrong with it', async () => {
  const { cert, key } = testCertificate(1)
  write({ cert, key: testCertificate(2).key })
  await expect(readTls(files())).rejects.toThrow(/key\.pem does not belong to the certificate in .*cert\.pem/)
  write({ cert: key, key })
  await expect(readTls(files())).rejects.toMatchObject({ code: 'bad-certificate', field: 'tlsCert' })
  write({ cert, key: cert })
  await expect(readTls(files())).rejects.toMatchObject({ code: 'bad-key', field: 'tlsKey' })
  rmSync(files().keyPath)
  await expect(startTestServer({ tls: files() })).rejects.toMatchObject({ kind: 'not-found' })
})
