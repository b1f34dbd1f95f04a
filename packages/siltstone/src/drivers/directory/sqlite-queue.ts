import type { Clock } from '../../ports/clock.ts'
import type { SharedDatabase, Row } from './shared-database.ts'
import { DEFAULT_MAX_RECEIVE_COUNT, queueClosed } from '../memory/memory-queue.ts'
import type { Queue, QueueDepth, QueueMessage } from '../../ports/queue.ts'
import { LongPolls } from '../../ports/long-poll.ts'

/** How soon a message from another process is noticed; a message from this process wakes a long poll at once. */
const POLL_MS = 200

const HAS_DUE = 'SELECT 1 FROM message WHERE dead = 0 AND visibleAtMs <= ? LIMIT 1'
const NEXT_VISIBLE = 'SELECT min(visibleAtMs) AS at FROM message WHERE dead = 0'
const BURY = 'UPDATE message SET dead = 1 WHERE dead = 0 AND visibleAtMs <= ? AND receiveCount >= ?'
const TAKE = `
  UPDATE message SET receiveCount = receiveCount + 1, receipt = receipt + 1, visibleAtMs = ?
  WHERE id IN (SELECT id FROM message WHERE dead = 0 AND visibleAtMs <= ? ORDER BY visibleAtMs, id LIMIT ?)
  RETURNING *`
const DEPTH = `
  SELECT
    count(*) FILTER (WHERE visibleAtMs <= ?) AS visible,
    count(*) FILTER (WHERE visibleAtMs > ? AND receiveCount > 0) AS inFlight,
    count(*) FILTER (WHERE visibleAtMs > ? AND receiveCount = 0) AS delayed,
    min(sentAtMs) AS oldestAtMs
  FROM message WHERE dead = 0`

/** The queue of the processes on one directory. Times are wall times of the given clock. */
export class SqliteQueue implements Queue {
  readonly #database: SharedDatabase
  readonly #clock: Clock
  readonly #endUse: () => void
  readonly #maxReceiveCount: number
  readonly #changes: LongPolls
  #isClosed = false

  constructor(database: SharedDatabase, options: { clock: Clock; maxReceiveCount?: number }) {
    this.#database = database
    this.#clock = options.clock
    this.#endUse = database.use()
    this.#maxReceiveCount = options.maxReceiveCount ?? DEFAULT_MAX_RECEIVE_COUNT
    this.#changes = new LongPolls(options.clock)
  }

  async send(body: string, options: { delayMs?: number } = {}): Promise<void> {
    this.#checkOpen()
    const nowMs = this.#nowMs()
    const visibleAtMs = nowMs + Math.ceil(options.delayMs ?? 0)
    await this.#database.write(({ run }) =>
      run('INSERT INTO message (body, sentAtMs, visibleAtMs) VALUES (?, ?, ?)', body, nowMs, visibleAtMs),
    )
    this.#changes.wakeAll()
  }

  async receive(options: {
    maxMessages: number
    visibilityMs: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<QueueMessage[]> {
    this.#checkOpen()
    const deadlineMs = this.#clock.monotonicMs() + options.waitMs
    for (;;) {
      options.signal?.throwIfAborted()
      const taken = await this.#take(options.maxMessages, options.visibilityMs)
      const leftMs = deadlineMs - this.#clock.monotonicMs()
      if (taken.length > 0 || leftMs <= 0) return taken
      await this.#changes.wait(Math.min(leftMs, POLL_MS, await this.#nextVisibleInMs()), options.signal)
      if (this.#isClosed) return []
    }
  }

  async extend(message: QueueMessage, visibilityMs: number): Promise<boolean> {
    this.#checkOpen()
    const changed = await this.#database.write(({ run }) =>
      run(
        'UPDATE message SET visibleAtMs = ? WHERE id = ? AND receipt = ? AND dead = 0',
        this.#nowMs() + Math.ceil(visibilityMs),
        ...idAndReceipt(message),
      ),
    )
    this.#changes.wakeAll()
    return changed > 0
  }

  async acknowledge(message: QueueMessage): Promise<boolean> {
    this.#checkOpen()
    const changed = await this.#database.write(({ run }) =>
      run('DELETE FROM message WHERE id = ? AND receipt = ?', ...idAndReceipt(message)),
    )
    return changed > 0
  }

  async depth(): Promise<QueueDepth> {
    this.#checkOpen()
    const nowMs = this.#nowMs()
    const [row] = await this.#database.read(({ all }) => all(DEPTH, nowMs, nowMs, nowMs))
    const { visible, inFlight, delayed, oldestAtMs } = row as Row
    return {
      visible: Number(visible),
      inFlight: Number(inFlight),
      delayed: Number(delayed),
      oldestAgeMs: oldestAtMs === null ? undefined : nowMs - Number(oldestAtMs),
    }
  }

  async deadLetters(options: { maxMessages: number }): Promise<QueueMessage[]> {
    this.#checkOpen()
    const rows = await this.#database.write(({ run, all }) => {
      run(BURY, this.#nowMs(), this.#maxReceiveCount)
      return all('SELECT * FROM message WHERE dead = 1 ORDER BY id LIMIT ?', options.maxMessages)
    })
    return rows.map(asMessage)
  }

  async redrive(): Promise<number> {
    this.#checkOpen()
    const changed = await this.#database.write(({ run }) =>
      run('UPDATE message SET dead = 0, receiveCount = 0, visibleAtMs = ? WHERE dead = 1', this.#nowMs()),
    )
    this.#changes.wakeAll()
    return changed
  }

  /** Ends waiting calls, which then return no message. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#endUse()
    this.#changes.wakeAll()
  }

  async #take(maxMessages: number, visibilityMs: number): Promise<QueueMessage[]> {
    const nowMs = this.#nowMs()
    // A read needs no lock, and most polls find no message.
    const due = await this.#database.read(({ all }) => all(HAS_DUE, nowMs))
    if (due.length === 0) return []
    const rows = await this.#database.write(({ run, all }) => {
      run(BURY, nowMs, this.#maxReceiveCount)
      return all(TAKE, nowMs + Math.ceil(visibilityMs), nowMs, maxMessages)
    })
    return rows.map(asMessage)
  }

  async #nextVisibleInMs(): Promise<number> {
    const [row] = await this.#database.read(({ all }) => all(NEXT_VISIBLE))
    const at = row?.['at']
    return typeof at === 'number' ? Math.max(1, at - this.#nowMs()) : Number.POSITIVE_INFINITY
  }

  #checkOpen(): void {
    if (this.#isClosed) throw queueClosed()
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs())
  }
}

function idAndReceipt({ id, receipt }: QueueMessage): [number, number] {
  return [Number(id), Number(receipt)]
}

function asMessage(row: Row): QueueMessage {
  return {
    id: String(row['id']),
    body: String(row['body']),
    receiveCount: Number(row['receiveCount']),
    sentAtMs: Number(row['sentAtMs']),
    receipt: String(row['receipt']),
  }
}
