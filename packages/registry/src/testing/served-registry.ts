/** A registry with its HTTP interface, called without a socket. */
import { silentLogger, systemClock, systemRandom } from 'siltstone/internal'
import type { RegistryOptions } from '../registry.ts'
import { createService, type Service, type ServiceOptions } from '../service.ts'
import { type RegistryWorld, registryWorld } from './served-world.ts'

export const ADMIN = { name: 'root', password: `it's "odd" (__+@**(A'"\`;DROP TABLE artifacts;` }
/** Hashes quickly, and as safe as fast hashes are: for tests. */
export const QUICK = { memoryKib: 16, passes: 1 }

export interface Answer {
  status: number
  headers: Headers
  body: unknown
  text: string
}

export interface ServedRegistry extends RegistryWorld {
  service: Service
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  logIn(name?: string, password?: string): Promise<string>
  /** Another process over the same store. */
  otherService(): Promise<Service>
}

export interface CallOptions {
  token?: string | undefined
  body?: unknown
  headers?: Record<string, string>
  address?: string
  service?: Service
}

export const ORIGIN = 'http://registry.test:8080'

export async function servedRegistry(
  options: Partial<ServiceOptions> = {},
  registryOptions: Partial<RegistryOptions> = {},
): Promise<ServedRegistry> {
  const world = await registryWorld(registryOptions)
  const serve = (registry = world.registry) =>
    createService({
      registry,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      version: '0.0.0',
      ...options,
      accounts: { admin: ADMIN, cost: QUICK, ...options.accounts },
    })
  const service = await serve()
  const services = [service]
  const call = async (
    method: string,
    path: string,
    { token, body, headers = {}, address = '192.0.2.1', service: by = service }: CallOptions = {},
  ) => {
    const request = new Request(`${ORIGIN}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { 'x-authorization': token }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && {
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
      redirect: 'manual',
    })
    const response = await by.fetch(request, address)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) }
  }
  return {
    ...world,
    service,
    call,
    otherService: async () => {
      const made = await serve(await world.other())
      services.push(made)
      return made
    },
    logIn: async (name = ADMIN.name, password = ADMIN.password) => {
      const body = { user: { name, is_admin: false }, secret: { password } }
      const answer = await call('PUT', '/authenticate', { body })
      if (answer.status !== 200) throw new Error(`login: ${answer.text}`)
      return answer.body as string
    },
    close: async () => {
      for (const each of services) await each.close()
      await world.close()
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
