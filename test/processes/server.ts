/** `siltstone serve`, used over HTTP. */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Gone, type Process, Refused, siltstone, type Variables } from './process.ts'

export class Server {
  readonly #process: Process
  readonly #base: string

  private constructor(process: Process, base: string) {
    this.#process = process
    this.#base = base
  }

  /** @throws Gone if it ends instead of serving */
  static async start(place: string, args: readonly string[] = [], env: Variables = {}): Promise<Server> {
    // Servers are started again and again, and nobody waits for their first answers.
    const variables = { SILTSTONE_WARM_UP_MS: '0', ...env }
    const given = ['serve', '--data', place, '--port', '0', '--log-level', 'warn', '--json', ...args]
    const process = siltstone(given, variables)
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: process.child.stdout }).on('line', (line) => {
        const found = /"url": ?"([^"]+)"/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
      void process.exited.then((code) => reject(new Gone(`the server ended with ${code}: ${process.log}`)))
    })
    return new Server(process, `${url}/api/v2/tenants/default_tenant/databases/default_database/collections`)
  }

  get pid(): number {
    return this.#process.pid
  }

  get log(): string {
    return this.#process.log
  }

  /**
   * @param path below the collections of the default database
   * @throws Gone if the connection breaks, Refused for any answer but success
   */
  async call(path: string, body?: unknown): Promise<unknown> {
    let response: Response
    let text: string
    try {
      response = await fetch(`${this.#base}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      text = await response.text()
    } catch (error) {
      await Promise.race([this.#process.exited, sleep(1_000)])
      throw new Gone(`the connection broke; ${this.#process.log}`, { cause: error })
    }
    if (response.ok) return JSON.parse(text) as unknown
    const code = response.headers.get('x-siltstone-error') ?? 'none'
    throw new Refused(kindOf(response.status, code), code, text)
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** Ends it with SIGTERM. @throws Error if its exit code is not 0 */
  async stop(): Promise<void> {
    this.#process.child.kill('SIGTERM')
    const code = await this.#process.exited
    if (code !== 0) throw new Error(`the server ended with ${code}: ${this.#process.log}`)
  }
}

function kindOf(status: number, code: string): string {
  if (status === 429 || status === 503 || status === 507) return 'unavailable'
  return status === 500 && code.endsWith('unknown') ? 'unknown' : String(status)
}
