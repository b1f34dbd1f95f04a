/** The processes on the store, as the driver of the test sees them: started, called, killed, stopped for a while. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Answer, Request, Role } from './participant.ts'
import type { Operation, Record } from './writer-model.ts'

export const MAIN = fileURLToPath(new URL('../../packages/siltstone/src/cli/main.ts', import.meta.url))
const CHILD = fileURLToPath(new URL('./participant.ts', import.meta.url))

/** The process ended before it answered: its operation took effect or not. */
export class Gone extends Error {}
/** The process refused: nothing was done, unless the kind is `unknown`. */
export class Refused extends Error {
  readonly kind: string
  readonly code: string

  constructor(kind: string, code: string, message: string) {
    super(`${kind} ${code}: ${message}`)
    this.kind = kind
    this.code = code
  }
}

export interface Actor {
  readonly name: string
  readonly pid: number
  /** @throws Gone, Refused */
  perform(operation: Operation): Promise<{ deleted?: number }>
  /** All records, by a strong read. @throws Gone, Refused */
  records(): Promise<[string, Record][]>
  kill(): Promise<void>
  /** Ends the process with SIGTERM. @throws Error if its exit code is not 0 */
  stop(): Promise<void>
}

/** Root may write to read-only directories, which would hide that they are read-only. */
const canDrop = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0
const unprivileged = canDrop ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []

/** A shell that limits the size of files, in bytes, and lets the program see the error instead of a signal. */
const limitingFiles = (bytes: number) => ['bash', '-c', `trap '' XFSZ; ulimit -f ${bytes >> 10}; exec "$@"`, 'limited']

/** Processes start twice as fast with a shared compile cache. */
const compileCache = mkdtempSync(join(tmpdir(), 'siltstone-crash-cache-'))
process.on('exit', () => rmSync(compileCache, { recursive: true, force: true }))

const ENDED = 'ended by '
/** Used in the message of `Gone`. */
export const KILLED = `${ENDED}SIGKILL`

class Process {
  readonly child: ChildProcessWithoutNullStreams
  readonly exited: Promise<number | null>
  log = ''

  constructor(args: readonly string[], before: readonly string[] = []) {
    const [program = '', ...rest] = [...before, ...unprivileged, process.execPath, ...args]
    this.child = spawn(program, rest, { env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compileCache } })
    this.child.stderr.on('data', (chunk: Buffer) => (this.log = (this.log + chunk.toString()).slice(-20_000)))
    // The pipe to a killed process breaks; only the exit of the process matters.
    this.child.stdin.on('error', () => {})
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      if (signal !== null) this.log += `${ENDED}${String(signal)}`
      return code as number | null
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

/** A library user, producer or compactor: `participant.ts`. */
export class ChildActor implements Actor {
  readonly name: string
  readonly #process: Process
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  #next = 1

  private constructor(role: Role, process: Process) {
    this.name = role
    this.#process = process
    createInterface({ input: process.child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer
      this.#waiting.get(answer.id)?.resolve(answer)
      this.#waiting.delete(answer.id)
    })
    void process.exited.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Gone(`${role} ended: ${process.log}`))
      this.#waiting.clear()
    })
  }

  /**
   * @param brisk short limits of the log, see `participant.ts`
   * @param fileBytes the limit of the size of a file
   */
  static async start(directory: string, role: Role, brisk = false, fileBytes?: number): Promise<ChildActor> {
    const args = [CHILD, directory, role, ...(brisk ? ['brisk'] : [])]
    const process = new Process(args, fileBytes === undefined ? [] : limitingFiles(fileBytes))
    const actor = new ChildActor(role, process)
    await new Promise<unknown>((resolve, reject) => actor.#waiting.set(0, { resolve, reject }))
    return actor
  }

  get pid(): number {
    return this.#process.pid
  }

  ask(request: Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never): Promise<Answer> {
    const id = this.#next++
    return new Promise<Answer>((resolve, reject) => {
      if (this.#process.child.exitCode !== null || this.#process.child.signalCode !== null)
        return reject(new Gone(`${this.name} has ended: ${this.#process.log}`))
      this.#waiting.set(id, { resolve, reject })
      this.#process.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
    }).then((answer) => {
      if (answer.error) throw new Refused(answer.error.kind, answer.error.code, answer.error.message)
      return answer
    })
  }

  async perform(operation: Operation): Promise<{ deleted?: number }> {
    return this.ask({ do: 'operation', operation })
  }

  async records(): Promise<[string, Record][]> {
    const { records = [] } = await this.ask({ do: 'records' })
    return records.map(([id, vector, document, metadata]) => [id, { vector, document, metadata }])
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  async stop(): Promise<void> {
    this.#process.child.stdin.end()
    const code = await this.#process.exited
    if (code !== 0 || this.#process.log !== '') throw new Error(`${this.name} ended with ${code}: ${this.#process.log}`)
  }
}

/** `siltstone serve`, used over HTTP. */
export class ServerActor implements Actor {
  readonly name = 'server'
  readonly #process: Process
  readonly #base: string
  #records = ''

  private constructor(process: Process, base: string) {
    this.#process = process
    this.#base = base
  }

  static async start(directory: string, ...args: string[]): Promise<ServerActor> {
    const given = ['serve', '--data', directory, '--port', '0', '--log-level', 'warn', '--json', ...args]
    const process = new Process([MAIN, ...given])
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: process.child.stdout }).on('line', (line) => {
        const found = /"url": ?"([^"]+)"/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
      void process.exited.then((code) => reject(new Gone(`the server ended with ${code}: ${process.log}`)))
    })
    return new ServerActor(process, `${url}/api/v2/tenants/default_tenant/databases/default_database/collections`)
  }

  get pid(): number {
    return this.#process.pid
  }

  get log(): string {
    return this.#process.log
  }

  /** @throws Gone if the connection breaks, Refused for any answer but success */
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
    const kind = response.status === 429 || response.status === 503 ? 'unavailable' : String(response.status)
    throw new Refused(kind, code, text)
  }

  async path(): Promise<string> {
    if (this.#records === '') this.#records = `/${((await this.call('/things')) as { id: string }).id}`
    return this.#records
  }

  async perform(operation: Operation): Promise<{ deleted?: number }> {
    const at = await this.path()
    switch (operation.kind) {
      case 'add':
      case 'upsert': {
        const { ids, records } = operation
        const column = <K extends keyof Record>(name: K) => records.map((record) => record[name])
        const columns = { embeddings: column('vector'), documents: column('document'), metadatas: column('metadata') }
        await this.call(`${at}/${operation.kind}`, { ids, ...columns })
        return {}
      }
      case 'update':
        await this.call(`${at}/update`, { ids: operation.ids, metadatas: operation.ids.map(() => operation.metadata) })
        return {}
      case 'delete':
        await this.call(`${at}/delete`, { ids: operation.ids })
        return {}
      case 'delete-where': {
        const { writer, group, limit } = operation
        const where = { $and: [{ writer }, { group }] }
        return (await this.call(`${at}/delete`, { where, limit })) as { deleted: number }
      }
    }
  }

  async records(): Promise<[string, Record][]> {
    const got = (await this.call(`${await this.path()}/get`, {
      include: ['embeddings', 'documents', 'metadatas'],
    })) as { ids: string[]; embeddings: number[][]; documents: string[]; metadatas: Record['metadata'][] }
    return got.ids.map((id, i) => [
      id,
      {
        vector: got.embeddings[i] as number[],
        document: got.documents[i] as string,
        metadata: got.metadatas[i] as Record['metadata'],
      },
    ])
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }

  async stop(): Promise<void> {
    this.#process.child.kill('SIGTERM')
    const code = await this.#process.exited
    if (code !== 0) throw new Error(`the server ended with ${code}: ${this.#process.log}`)
  }
}

/** One run of the command line. A null code means that it was killed. */
export function command(args: readonly string[]): {
  process: { kill(): Promise<void>; pid: number }
  done: Promise<Ran>
} {
  const process = new Process([MAIN, ...args])
  let out = ''
  process.child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  process.child.stdin.end()
  return { process, done: process.exited.then((code) => ({ code, out, err: process.log })) }
}

export interface Ran {
  code: number | null
  out: string
  err: string
}
