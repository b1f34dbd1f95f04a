/** `siltstone serve --registry` as a process of its own, used over HTTP. */
import { createInterface } from 'node:readline'
import { siltstone, type Variables } from '../processes/process.ts'

export const ADMIN = { name: 'root', password: `it's "odd" (__+@**(A'"\`;DROP TABLE artifacts;` }

export interface Answer {
  status: number
  headers: Headers
  /** Undefined: it is no JSON. */
  body: unknown
  bytes: Uint8Array
}

export interface CallOptions {
  token?: string | undefined
  body?: unknown
  headers?: Record<string, string>
}

export interface ServedProcess {
  /** Of the registry. */
  url: string
  /** Of Chroma's API and the console. */
  storeUrl: string
  pid: number
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** At the address of Chroma's API. */
  callStore(method: string, path: string, options?: CallOptions): Promise<Answer>
  kill(): Promise<void>
  /** @throws Error if it does not end with code 0 */
  stop(): Promise<void>
}

/** @param sources addresses of the services that are asked about artifacts; without them nobody answers */
export async function serveRegistry(
  place: string,
  sources: { hub?: string; github?: string } = {},
  { args = [], env = {} }: { args?: readonly string[]; env?: Variables } = {},
): Promise<ServedProcess> {
  const nobody = 'http://127.0.0.1:9'
  const options = [
    '--data',
    place,
    '--port',
    '0',
    '--registry',
    '--registry-port',
    '0',
    '--json',
    '--log-level',
    'warn',
  ]
  const child = siltstone(['serve', ...options, ...args], {
    REGISTRY_HUB_URL: sources.hub ?? nobody,
    REGISTRY_GITHUB_URL: 'https://github.test',
    REGISTRY_GITHUB_API_URL: sources.github ?? nobody,
    REGISTRY_ADMIN_USER: ADMIN.name,
    REGISTRY_ADMIN_PASSWORD: ADMIN.password,
    ...forBuckets(),
    ...env,
  })
  const text = await new Promise<string>((resolve, reject) => {
    let out = ''
    createInterface({ input: child.child.stdout }).on('line', (line) => {
      out += line
      if (line === '}') resolve(out)
    })
    void child.exited.then((code) => reject(new Error(`the server ended with ${code}: ${child.log}`)))
  })
  const { url: storeUrl, registry } = JSON.parse(text) as { url: string; registry: { url: string } }
  return {
    url: registry.url,
    storeUrl,
    pid: child.pid,
    call: (method, path, more) => call(registry.url + path, method, more),
    callStore: (method, path, more) => call(storeUrl + path, method, more),
    kill: () => child.kill(),
    stop: async () => {
      child.child.kill('SIGTERM')
      const code = await child.exited
      if (code !== 0) throw new Error(`the server ended with ${code}: ${child.log}`)
    },
  }
}

async function call(url: string, method: string, { token, body, headers = {} }: CallOptions = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { 'x-authorization': token }),
      ...headers,
    },
    ...(body !== undefined && {
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    }),
    redirect: 'manual',
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    parsed = undefined
  }
  return { status: response.status, headers: response.headers, body: parsed, bytes }
}

const forBuckets = (): Variables =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(?:AWS_|CREATE_BUCKET$)/.test(name)))

/** @throws Error if it is refused */
export async function logIn(process: ServedProcess, { name, password } = ADMIN): Promise<string> {
  const body = { user: { name, is_admin: name === ADMIN.name }, secret: { password } }
  const answer = await process.call('PUT', '/authenticate', { body })
  if (answer.status !== 200) throw new Error(`the login was answered ${answer.status}`)
  return answer.body as string
}
