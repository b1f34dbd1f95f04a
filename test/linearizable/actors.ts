/** The processes on the store, as clients use them. */
import { fileURLToPath } from 'node:url'
import { Child } from '../processes/child.ts'
import { command, Gone, Refused, type Variables } from '../processes/process.ts'
import { Server } from '../processes/server.ts'
import {
  ALL,
  type Columns,
  columnsOf,
  idsOf,
  type Operation,
  type Output,
  rowsOf,
  vectorOf,
  whereOf,
} from './operations.ts'
import type { Answer, Role } from './participant.ts'

const PARTICIPANT = fileURLToPath(new URL('./participant.ts', import.meta.url))
const INCLUDE = ['embeddings', 'documents', 'metadatas']

export interface Actor {
  readonly pid: number
  /** @throws Gone, Refused */
  perform(operation: Operation): Promise<Output>
  kill(): Promise<void>
  /** @throws Error if its exit code is not 0 */
  stop(): Promise<void>
}

export class ChildActor implements Actor {
  readonly #child: Child<Answer>

  private constructor(child: Child<Answer>) {
    this.#child = child
  }

  /** @throws Gone if it could not start */
  static async start(place: string, role: Role, env: Variables): Promise<ChildActor> {
    return new ChildActor(await Child.start<Answer>(role, [PARTICIPANT, place, role], { env }))
  }

  get pid(): number {
    return this.#child.pid
  }

  perform(operation: Operation): Promise<Output> {
    return this.#child.ask({ do: 'operation', operation })
  }

  /** @throws Gone, Refused */
  async work(what: 'compact' | 'collect'): Promise<void> {
    await this.#child.ask({ do: what })
  }

  kill(): Promise<void> {
    return this.#child.kill()
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

/** Chroma's API, by HTTP. */
export class ServerActor implements Actor {
  readonly #server: Server
  #collection: string | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  /** @throws Gone if it could not start */
  static async start(place: string, env: Variables, args: readonly string[] = []): Promise<ServerActor> {
    return new ServerActor(await Server.start(place, args, env))
  }

  get pid(): number {
    return this.#server.pid
  }

  async perform(operation: Operation): Promise<Output> {
    // Nothing is written before the collection is known.
    this.#collection ??= `/${((await this.#server.call('/things').catch(noEffect)) as { id: string }).id}`
    const call = (path: string, body: object) => this.#server.call(`${this.#collection ?? ''}/${path}`, body)
    const { group } = operation
    switch (operation.kind) {
      case 'add':
      case 'upsert':
        await call(operation.kind, columnsOf(group, operation.members, operation.stamp))
        return {}
      case 'update': {
        const { members, stamp } = operation
        await call('update', { ids: idsOf(group, members), metadatas: members.map(() => ({ touched: stamp })) })
        return {}
      }
      case 'delete':
        return (await call('delete', { ids: idsOf(group, operation.members) })) as Output
      case 'delete-where':
        return (await call('delete', { where: whereOf(operation), limit: operation.limit })) as Output
      case 'read': {
        if (operation.how === 'query') {
          const asked = { query_embeddings: [vectorOf(1)], where: { group }, n_results: ALL.length, include: INCLUDE }
          const got = (await call('query', asked)) as { [K in keyof Columns]: Columns[K][] }
          const [ids = [], embeddings = [], documents = [], metadatas = []] = [
            got.ids[0],
            got.embeddings[0],
            got.documents[0],
            got.metadatas[0],
          ]
          return { rows: rowsOf(group, { ids, embeddings, documents, metadatas }) }
        }
        const which = operation.how === 'ids' ? { ids: idsOf(group, ALL) } : { where: { group } }
        return { rows: rowsOf(group, (await call('get', { ...which, include: INCLUDE })) as Columns) }
      }
    }
  }

  kill(): Promise<void> {
    return this.#server.kill()
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}

function noEffect(error: unknown): never {
  throw new Refused('unavailable', 'not-sent', String(error))
}

/** Exit codes of the command line. */
const UNAVAILABLE = 5
const CONFLICT = 4

/** A record as `get --json` prints it. */
interface Shown {
  id: string
  embedding: number[]
  document: string
  metadata: Record<string, number>
}

/** Starts the command line for each operation: `get` for reads, `produce` for writes. */
export class CommandActor {
  readonly #place: string
  readonly #env: Variables
  #running: { kill(): Promise<void>; pid: number } | undefined

  constructor(place: string, env: Variables) {
    this.#place = place
    this.#env = env
  }

  /** @throws as `run` */
  async perform(operation: Operation): Promise<Output> {
    const { group } = operation
    if (operation.kind === 'read') {
      const which = operation.how === 'ids' ? idsOf(group, ALL) : ['--where', JSON.stringify({ group })]
      const out = await this.run(['get', 'things', ...which, '--include', INCLUDE.join(',')])
      const { records } = JSON.parse(out) as { records: Shown[] }
      const columns = {
        ids: records.map(({ id }) => id),
        embeddings: records.map(({ embedding }) => embedding),
        documents: records.map(({ document }) => document),
        metadatas: records.map(({ metadata }) => metadata),
      }
      return { rows: rowsOf(group, columns) }
    }
    if (operation.kind !== 'upsert' && operation.kind !== 'delete') throw new Error('the command line cannot do this')
    const { kind: op, members } = operation
    const columns = op === 'upsert' ? columnsOf(group, members, operation.stamp) : undefined
    const lines = idsOf(group, members).map((id, i) => ({
      op,
      id,
      ...(columns && { vector: columns.embeddings[i], document: columns.documents[i], metadata: columns.metadatas[i] }),
    }))
    await this.run(['produce', 'things'], lines.map((line) => JSON.stringify(line)).join('\n'))
    return {}
  }

  /** @throws Gone if it was killed or the store could not be reached, Refused otherwise */
  async run(args: readonly string[], input = ''): Promise<string> {
    const { process, done } = command([...args, '--data', this.#place, '--json'], { env: this.#env, input })
    this.#running = process
    const { code, out, err } = await done
    this.#running = undefined
    if (code === 0) return out
    const told = `siltstone ${args[0] ?? ''} ended with ${code}: ${out}${err}`
    if (code === null || code === UNAVAILABLE) throw new Gone(told)
    throw new Refused(code === CONFLICT ? 'conflict' : String(code), 'none', told)
  }

  /** Kills the command that runs, if any. */
  async kill(): Promise<boolean> {
    const running = this.#running
    await running?.kill()
    return running !== undefined
  }
}
