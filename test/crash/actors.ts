/** The processes on the store, as the driver of the test sees them. */
import { fileURLToPath } from 'node:url'
import { Child } from '../processes/child.ts'
import { Server } from '../processes/server.ts'
import type { Answer, Request, Role } from './participant.ts'
import type { Operation, Record } from './writer-model.ts'

const CHILD = fileURLToPath(new URL('./participant.ts', import.meta.url))

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

/** A shell that limits the size of files, in bytes, and lets the program see the error instead of a signal. */
const limitingFiles = (bytes: number) => ['bash', '-c', `trap '' XFSZ; ulimit -f ${bytes >> 10}; exec "$@"`, 'limited']

/** A library user, producer or compactor: `participant.ts`. */
export class ChildActor implements Actor {
  readonly name: string
  readonly #child: Child<Answer>

  private constructor(role: Role, child: Child<Answer>) {
    this.name = role
    this.#child = child
  }

  /**
   * @param brisk short limits of the log, see `participant.ts`
   * @param fileBytes the limit of the size of a file
   */
  static async start(directory: string, role: Role, brisk = false, fileBytes?: number): Promise<ChildActor> {
    const args = [CHILD, directory, role, ...(brisk ? ['brisk'] : [])]
    const before = fileBytes === undefined ? [] : limitingFiles(fileBytes)
    return new ChildActor(role, await Child.start<Answer>(role, args, { before }))
  }

  get pid(): number {
    return this.#child.pid
  }

  ask(request: Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never): Promise<Answer> {
    return this.#child.ask(request)
  }

  async perform(operation: Operation): Promise<{ deleted?: number }> {
    return this.ask({ do: 'operation', operation })
  }

  async records(): Promise<[string, Record][]> {
    const { records = [] } = await this.ask({ do: 'records' })
    return records.map(([id, vector, document, metadata]) => [id, { vector, document, metadata }])
  }

  kill(): Promise<void> {
    return this.#child.kill()
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

/** `siltstone serve`, used over HTTP. */
export class ServerActor implements Actor {
  readonly name = 'server'
  readonly #server: Server
  #records = ''

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(directory: string, ...args: string[]): Promise<ServerActor> {
    return new ServerActor(await Server.start(directory, args))
  }

  get pid(): number {
    return this.#server.pid
  }

  get log(): string {
    return this.#server.log
  }

  /** @throws Gone if the connection breaks, Refused for any answer but success */
  call(path: string, body?: unknown): Promise<unknown> {
    return this.#server.call(path, body)
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
    return this.#server.kill()
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}
