/**
 * What the clients saw, in the order in which the driver saw it: numbers of events instead of times, so that one call is
 * before another only if it returned before the other began.
 */
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import type { Operation, Output } from './operations.ts'

/** One line of the file that the checker reads. */
export interface Entry {
  client: number
  operation: Operation
  call: number
  /** Left out: the outcome is not known, and the operation may take effect at any time after its call. */
  return?: number
  output?: Output
  /** Whether reads of this group show the order of insertion (see `groups.ts`). */
  ordered: boolean
}

export class History {
  readonly #entries = new Set<Entry>()
  #events = 0

  /** A call: its outcome is unknown until `returned` or `refused`. */
  called(client: number, operation: Operation, ordered: boolean): Entry {
    const entry: Entry = { client, operation, call: ++this.#events, ordered }
    this.#entries.add(entry)
    return entry
  }

  returned(entry: Entry, output: Output): void {
    entry.return = ++this.#events
    entry.output = output
  }

  /** It had no effect. The history is not linearizable without it if it had. */
  refused(entry: Entry): void {
    this.#entries.delete(entry)
  }

  get size(): number {
    return this.#entries.size
  }

  get open(): number {
    return [...this.#entries].filter((entry) => entry.return === undefined).length
  }

  async write(file: string): Promise<void> {
    const stream = createWriteStream(file)
    for (const entry of this.#entries) stream.write(`${JSON.stringify(entry)}\n`)
    stream.end()
    await once(stream, 'finish')
  }
}
