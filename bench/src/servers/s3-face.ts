/**
 * `serve --objects` in its own process, and a client of its S3 face that signs by itself and sends no checksum, so that it
 * costs little.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
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
import { processUsage, type ProcessUsage } from '../measure/process-usage.ts'
import { SILTSTONE_MAIN } from '../places.ts'

const MIB = 1024 * 1024
const MAX_TEXT_BYTES = 4 * MIB
const MAX_SOCKETS = 16

export interface S3Face {
  /** Of the server's own API. */
  apiUrl: string
  pid: number
  usage(): ProcessUsage
  /** @throws Error for any other answer than success, and for a short body */
  send(
    method: string,
    path: string,
    body?: Buffer | NodeJS.ReadableStream,
    query?: [string, string][],
    length?: number,
  ): Promise<{ text: string; etag: string }>
  stop(): Promise<void>
}

/** @param folder where the keys and the store are made */
export async function startS3Face(folder: string): Promise<S3Face> {
  const key = { accessKeyId: 'BENCHKEY', secretAccessKey: 'a secret for measuring' }
  const keysFile = join(folder, 'keys.json')
  writeFileSync(keysFile, JSON.stringify([key]))
  const place = ['--data', join(folder, 'data'), '--port', '0', '--objects-port', '0', '--objects-keys', keysFile]
  const args = [SILTSTONE_MAIN, 'serve', ...place, '--objects', '--no-compaction', '--log-level', 'warn', '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => child.kill())
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) break
  }
  const answer = JSON.parse(out) as { url: string; objects: { url: string } }
  const { url } = answer.objects
  const { hostname, port, host } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const send: S3Face['send'] = (method, path, body, query = [], length = Buffer.isBuffer(body) ? body.length : 0) =>
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
          if (size < MAX_TEXT_BYTES) chunks.push(chunk)
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const wanted = Number(answer.headers['content-length'] ?? size)
          if ((answer.statusCode ?? 500) >= 300 || (method === 'GET' && size !== wanted))
            reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`))
          else resolve({ text, etag: answer.headers.etag ?? '' })
        })
      })
      sent.on('error', reject)
      if (body === undefined || Buffer.isBuffer(body)) sent.end(body)
      else (body as NodeJS.ReadableStream).pipe(sent)
    })
  return {
    apiUrl: answer.url,
    pid: child.pid as number,
    usage: () => processUsage(child.pid as number),
    send,
    stop: () => stopped(child, agent),
  }
}

async function stopped(child: ChildProcess, agent: Agent): Promise<void> {
  agent.destroy()
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}
