/**
 * The S3 face of `serve --objects` on a directory: small objects with several requests in flight, and one large object,
 * beside a copy of a file with fsync in the same run. The client signs by itself and sends no checksum, so that it costs
 * little.
 */
import { spawn } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ALGORITHM,
  amzDateOf,
  canonicalRequest,
  encodePath,
  requestSignature,
  scopeText,
  sha256Hex,
  signingKey,
  UNSIGNED_PAYLOAD,
} from 'siltstone/internal'
import type { Row } from '../measure/report.ts'
import { REPOSITORY } from '../places.ts'
import type { Scenario } from './scenario.ts'

const MIB = 1024 * 1024
const LARGE_BYTES = 1024 * MIB
const SMALL = 10_000
const AT_ONCE = 16
const ROUNDS = 3

export const objects: Scenario = {
  about: 'the S3 face on a directory: 10,000 objects of 1 kB, and one of 1 GiB beside cp and fsync',
  records: [0],
  run: async (_options, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-objects-'))
    const face = await startFace(folder)
    try {
      await face.send('PUT', '/bench')
      report.table('10,000 objects of 1 kB, 16 requests in flight', await smallObjects(face))
      report.table('One object of 1 GiB, one request', await largeObject(face, folder))
    } finally {
      face.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function smallObjects(face: Face): Promise<Row[]> {
  const body = Buffer.alloc(1_000, 'x')
  const keys = Array.from({ length: SMALL }, (_, at) => `/bench/small/${String(at).padStart(6, '0')}`)
  const each = async (work: (path: string) => Promise<unknown>) => {
    const left = [...keys]
    const one = async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop()) await work(path)
    }
    return timed(() => Promise.all(Array.from({ length: AT_ONCE }, one)))
  }
  const rows: Row[] = []
  const row = (what: string, seconds: number) =>
    rows.push({
      what,
      seconds: round(seconds),
      'a second': Math.round(SMALL / seconds),
      'server RSS MB': rssMb(face.pid),
    })
  row('put', await each((path) => face.send('PUT', path, body)))
  row('get', await each((path) => face.send('GET', path)))
  const list = async () => {
    for (let at = 0, after = ''; at < SMALL; at += 1_000) {
      const { text } = await face.send('GET', '/bench', undefined, [
        ['list-type', '2'],
        ['start-after', after],
      ])
      after = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].at(-1)?.[1] ?? ''
    }
  }
  row('list, 1,000 a page', await timed(list))
  row('delete', await each((path) => face.send('DELETE', path)))
  return rows
}

async function largeObject(face: Face, folder: string): Promise<Row[]> {
  const source = join(folder, 'source')
  const handle = await open(source, 'w')
  for (let at = 0; at < LARGE_BYTES; at += 64 * MIB) await handle.write(Buffer.alloc(64 * MIB, at / MIB))
  await handle.close()
  const rows: Row[] = []
  for (let round_ = 1; round_ <= ROUNDS; round_++) {
    const copied = await timed(() => copyAndSync(source, join(folder, 'copy')))
    const before = rssMb(face.pid)
    const up = await timed(() =>
      face.send('PUT', '/bench/large', createReadStream(source, { highWaterMark: MIB }), [], LARGE_BYTES),
    )
    const afterUp = rssMb(face.pid)
    const down = await timed(() => face.send('GET', '/bench/large'))
    rows.push({
      round: round_,
      'cp + fsync MiB/s': Math.round(1_024 / copied),
      'upload MiB/s': Math.round(1_024 / up),
      'upload of cp': `${Math.round((100 * copied) / up)} %`,
      'download MiB/s': Math.round(1_024 / down),
      'RSS MB before': before,
      'after upload': afterUp,
      'after download': rssMb(face.pid),
      'highest so far': highestRssMb(face.pid),
    })
  }
  return rows
}

async function copyAndSync(from: string, to: string): Promise<void> {
  const target = await open(to, 'w')
  for await (const chunk of createReadStream(from, { highWaterMark: MIB })) await target.write(chunk as Uint8Array)
  await target.sync()
  await target.close()
}

interface Face {
  pid: number
  send(
    method: string,
    path: string,
    body?: Buffer | NodeJS.ReadableStream,
    query?: [string, string][],
    length?: number,
  ): Promise<{ text: string }>
  stop(): void
}

async function startFace(folder: string): Promise<Face> {
  const key = { accessKeyId: 'BENCHKEY', secretAccessKey: 'a secret for measuring' }
  const keysFile = join(folder, 'keys.json')
  writeFileSync(keysFile, JSON.stringify([key]))
  const args = [
    'packages/siltstone/src/cli/main.ts',
    'serve',
    '--data',
    join(folder, 'data'),
    '--port',
    '0',
    '--objects',
  ]
  const options = [
    '--objects-port',
    '0',
    '--objects-keys',
    keysFile,
    '--no-compaction',
    '--log-level',
    'warn',
    '--json',
  ]
  const child = spawn(process.execPath, [...args, ...options], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) break
  }
  const { url } = (JSON.parse(out) as { objects: { url: string } }).objects
  const { hostname, port, host } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const send: Face['send'] = (method, path, body, query = [], length = Buffer.isBuffer(body) ? body.length : 0) =>
    new Promise((resolve, reject) => {
      const amzDate = amzDateOf(Date.now())
      const scope = { date: amzDate.slice(0, 8), region: 'us-east-1', service: 's3' }
      const payloadHash = body === undefined ? sha256Hex('') : UNSIGNED_PAYLOAD
      const signed = { host, 'x-amz-content-sha256': payloadHash, 'x-amz-date': amzDate }
      const canonical = canonicalRequest({ method, path, query, headers: Object.entries(signed), payloadHash })
      const signature = requestSignature(signingKey(key.secretAccessKey, scope), amzDate, scope, canonical)
      const credential = `Credential=${key.accessKeyId}/${scopeText(scope)}`
      const authorization = `${ALGORITHM} ${credential}, SignedHeaders=${Object.keys(signed).join(';')}, Signature=${signature}`
      const search =
        query.length === 0 ? '' : `?${query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`
      const headers = { ...signed, authorization, 'content-length': length }
      const sent = request({ agent, hostname, port, method, path: encodePath(path) + search, headers }, (answer) => {
        const chunks: Buffer[] = []
        let size = 0
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size < 4 * MIB) chunks.push(chunk)
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const wanted = Number(answer.headers['content-length'] ?? size)
          if ((answer.statusCode ?? 500) >= 300 || (method === 'GET' && size !== wanted))
            reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`))
          else resolve({ text })
        })
      })
      sent.on('error', reject)
      if (body === undefined || Buffer.isBuffer(body)) sent.end(body)
      else (body as NodeJS.ReadableStream).pipe(sent)
    })
  return { pid: child.pid as number, send, stop: () => child.kill() }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1_000
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100
const status = (pid: number, field: string): number =>
  Math.round(
    Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024,
  )
const rssMb = (pid: number): number => status(pid, 'VmRSS')
const highestRssMb = (pid: number): number => status(pid, 'VmHWM')
