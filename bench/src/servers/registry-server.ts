/** `serve --registry` in its own process, and what a client of the Hub does, without its costs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { processUsage, type ProcessUsage } from '../measure/process-usage.ts'
import { SILTSTONE_MAIN } from '../places.ts'

const PASSWORD = 'a password for measuring'
export const USER = 'root'

export interface RegistryServer {
  url: string
  hubUrl: string
  /** Of an admin. */
  key: string
  usage(): ProcessUsage
  /** @throws Error for any other answer than success */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** @param link of a batch of Git LFS @throws Error likewise */
  put(link: string, body: NodeJS.ReadableStream, sizeBytes: number): Promise<void>
  /** Reads the body and keeps none of it. @returns its size in bytes */
  get(path: string): Promise<number>
  stop(): Promise<void>
}

/** @param data as `--data` of `serve` */
export async function startRegistryServer(data: string): Promise<RegistryServer> {
  const place = ['--data', data, '--port', '0', '--registry', '--registry-port', '0']
  const args = [SILTSTONE_MAIN, 'serve', ...place, '--no-compaction', '--log-level', 'warn', '--json']
  // Nothing outside of this machine is asked.
  const nobody = { REGISTRY_HUB_URL: 'http://127.0.0.1:9', REGISTRY_GITHUB_API_URL: 'http://127.0.0.1:9' }
  const env = { ...process.env, ...nobody, REGISTRY_ADMIN_USER: USER, REGISTRY_ADMIN_PASSWORD: PASSWORD }
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  process.once('exit', () => child.kill())
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) break
  }
  const { registry } = JSON.parse(out) as { registry: { url: string; hubUrl: string } }
  let authorization = ''
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = { 'content-type': 'application/json', authorization }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(registry.url + path, { method, headers, ...(body !== undefined && { body: text }) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const login = { user: { name: USER, is_admin: true }, secret: { password: PASSWORD } }
  authorization = await call<string>('PUT', '/authenticate', login)
  const { token: key } = await call<{ token: string }>('POST', `/user/${USER}/keys`, {})
  authorization = `Bearer ${key}`
  return {
    ...registry,
    key,
    usage: () => processUsage(child.pid as number),
    call,
    put: async (link, body, sizeBytes) => {
      const sent = request(link, { method: 'PUT', headers: { 'content-length': sizeBytes } })
      body.pipe(sent)
      await answered(sent, link)
    },
    get: async (path) => answered(request(registry.url + path, { headers: { authorization } }).end(), path),
    stop: async () => {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

function answered(sent: ReturnType<typeof request>, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (answer) => {
      let sizeBytes = 0
      answer.on('data', (chunk: Buffer) => (sizeBytes += chunk.length))
      answer.on('error', reject)
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve(sizeBytes) : reject(new Error(`${what}: ${answer.statusCode}`)),
      )
    })
  })
}
