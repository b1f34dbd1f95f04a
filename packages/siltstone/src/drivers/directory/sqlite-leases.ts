import type { Clock } from '../../ports/clock.ts'
import type { SharedDatabase, Row, Transaction } from './shared-database.ts'
import type { AcquireResult, Leases, LeaseState } from '../../ports/lease.ts'

const OWNED = 'name = ? AND owner = ? AND fencing = ?'
const SAVE = `
  INSERT INTO lease (name, owner, expiresAtMs, heartbeatAtMs, fencing, dirty) VALUES (?, ?, ?, ?, ?, 0)
  ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expiresAtMs = excluded.expiresAtMs,
    heartbeatAtMs = excluded.heartbeatAtMs, fencing = excluded.fencing, dirty = 0`
/** The row is kept for its fencing number. */
const FREE = 'UPDATE lease SET owner = NULL, expiresAtMs = 0, dirty = 0'

/** Leases between the processes on one directory. They expire by the wall time of the given clock. */
export class SqliteLeases implements Leases {
  readonly #database: SharedDatabase
  readonly #clock: Clock
  readonly #endUse: () => void

  constructor(database: SharedDatabase, options: { clock: Clock }) {
    this.#database = database
    this.#clock = options.clock
    this.#endUse = database.use()
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    return this.#database.write((transaction) => {
      const nowMs = this.#nowMs()
      const current = find(transaction, name)
      const isOurs = current?.owner === owner
      const isHeld = current?.owner !== undefined && current.expiresAtMs >= nowMs
      if (isHeld && !isOurs) return { status: 'busy', state: current }
      const fencing = isOurs ? current.fencing : (current?.fencing ?? 0) + 1
      transaction.run(SAVE, name, owner, nowMs + Math.ceil(ttlMs), nowMs, fencing)
      return { status: 'acquired', fencing }
    })
  }

  async heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean> {
    const nowMs = this.#nowMs()
    const changed = await this.#database.write(({ run }) =>
      run(
        `UPDATE lease SET heartbeatAtMs = ?, expiresAtMs = ? WHERE ${OWNED}`,
        nowMs,
        nowMs + Math.ceil(ttlMs),
        name,
        owner,
        fencing,
      ),
    )
    return changed > 0
  }

  async release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'> {
    return this.#database.write(({ run }) => {
      if (run(`UPDATE lease SET dirty = 0 WHERE ${OWNED} AND dirty = 1`, name, owner, fencing) > 0) return 'dirty'
      return run(`${FREE} WHERE ${OWNED}`, name, owner, fencing) > 0 ? 'released' : 'lost'
    })
  }

  async markDirty(name: string): Promise<boolean> {
    const changed = await this.#database.write(({ run }) =>
      run('UPDATE lease SET dirty = 1 WHERE name = ? AND owner IS NOT NULL AND expiresAtMs >= ?', name, this.#nowMs()),
    )
    return changed > 0
  }

  async inspect(name: string): Promise<LeaseState | undefined> {
    return this.#database.read((transaction) => find(transaction, name))
  }

  async list(): Promise<LeaseState[]> {
    const rows = await this.#database.read(({ all }) => all('SELECT * FROM lease ORDER BY name'))
    return rows.map(asState)
  }

  async force(name: string): Promise<LeaseState | undefined> {
    return this.#database.write((transaction) => {
      const was = find(transaction, name)
      transaction.run(`${FREE} WHERE name = ?`, name)
      return was
    })
  }

  async close(): Promise<void> {
    this.#endUse()
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs())
  }
}

function find({ all }: Pick<Transaction, 'all'>, name: string): LeaseState | undefined {
  const [row] = all('SELECT * FROM lease WHERE name = ?', name)
  return row && asState(row)
}

function asState(row: Row): LeaseState {
  return {
    name: String(row['name']),
    owner: typeof row['owner'] === 'string' ? row['owner'] : undefined,
    expiresAtMs: Number(row['expiresAtMs']),
    heartbeatAtMs: Number(row['heartbeatAtMs']),
    fencing: Number(row['fencing']),
    dirty: row['dirty'] === 1,
  }
}
