/**
 * MiniStack over HTTPS on this machine, with its own certificate: the bucket's policy refuses plain HTTP to all callers,
 * also to functions. Functions run in Node processes of the server and inherit its environment.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CREDENTIALS, definitions, folder } from '@siltstone/emulated-aws'

const enforcing = definitions.find(({ program }) => program === 'ministack')
if (enforcing === undefined) throw new Error('test/aws/servers.ts has no MiniStack, the one that enforces IAM')
export const SERVER = enforcing
const READY_WITHIN_MS = 60_000
const LOG_SHOWN = 4_000

export interface RunningServer {
  /** `https://127.0.0.1:<port>` */
  endpoint: string
  /** The self-signed certificate of the server. */
  ca: string
  /** Path of the same certificate, for NODE_EXTRA_CA_CERTS. */
  certificateFile: string
  log(): string
  stop(): Promise<void>
}

/** @throws Error with the end of the server's log when it does not answer */
export async function startServer(): Promise<RunningServer> {
  const place = mkdtempSync(join(tmpdir(), 'siltstone-applied-'))
  const { certificate, key } = await makeCertificate(place)
  const endpoint = `https://127.0.0.1:${await freePort()}`
  const child = spawn(join(folder, SERVER.program, 'bin', SERVER.program), {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: place,
    env: {
      ...process.env,
      // The functions run with the Node that runs this process.
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: certificate,
      MINISTACK_SSL_KEY: key,
      NODE_EXTRA_CA_CERTS: certificate,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: new URL(endpoint).port,
      AWS_ENDPOINT_URL: endpoint,
      ...CREDENTIALS,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  const ca = readFileSync(certificate, 'utf8')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
    }
    rmSync(place, { recursive: true, force: true })
  }
  const deadline = performance.now() + READY_WITHIN_MS
  while ((await statusOf(`${endpoint}${SERVER.readyPath}`, ca)) !== 200) {
    if (child.exitCode === null && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      continue
    }
    await stop()
    throw new Error(`${SERVER.name} did not start:\n${output.slice(-LOG_SHOWN)}`)
  }
  return { endpoint, ca, certificateFile: certificate, log: () => output, stop }
}

async function makeCertificate(place: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(place, 'server.crt'), join(place, 'server.key')]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2']
  args.push('-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  await promisify(execFile)('openssl', args)
  return { certificate, key }
}

function statusOf(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request(url, { ca }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    // Not listening yet.
    sent.on('error', () => resolve(undefined))
    sent.end()
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
