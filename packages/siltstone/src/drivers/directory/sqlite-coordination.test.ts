import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startChild } from '../../testing/child-process.ts'
import type { Clock } from '../../ports/clock.ts'
import { openCoordinationDatabase } from './coordination-database.ts'
import type { SharedDatabase } from './shared-database.ts'
import { describeLeases } from '../../ports/lease.contract.ts'
import { describeQueue } from '../../ports/queue.contract.ts'
import { SqliteLeases } from './sqlite-leases.ts'
import { SqliteQueue } from './sqlite-queue.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'

const random = systemRandom

async function openFresh(clock: Clock) {
  const directory = mkdtempSync(join(tmpdir(), 'siltstone-coordination-'))
  const path = join(directory, 'coordination.sqlite')
  const database = await openCoordinationDatabase(path, { clock, random })
  const dispose = async () => {
    database.close()
    rmSync(directory, { recursive: true })
  }
  return { path, database, dispose }
}

describeQueue('sqlite', async (clock, maxReceiveCount) => {
  const { database, dispose } = await openFresh(clock)
  return { queue: new SqliteQueue(database, { clock, maxReceiveCount }), dispose }
})

describeLeases('sqlite', async (clock) => {
  const { database, dispose } = await openFresh(clock)
  return { leases: new SqliteLeases(database, { clock }), dispose }
})

describe('coordination database', () => {
  let path: string
  let database: SharedDatabase
  let dispose: () => Promise<void>

  beforeEach(async () => {
    ;({ path, database, dispose } = await openFresh(systemClock))
  })
  afterEach(() => dispose())

  it('keeps what it holds when it is opened again', async () => {
    await new SqliteQueue(database, { clock: systemClock }).send('kept')
    await new SqliteLeases(database, { clock: systemClock }).acquire('a', 'me', 60_000)
    database.close()
    database = await openCoordinationDatabase(path, { clock: systemClock, random })
    expect((await new SqliteQueue(database, { clock: systemClock }).depth()).visible).toBe(1)
    expect((await new SqliteLeases(database, { clock: systemClock }).inspect('a'))?.fencing).toBe(1)
    database.close()
  })

  it('closes with its last user', async () => {
    const queue = new SqliteQueue(database, { clock: systemClock })
    const leases = new SqliteLeases(database, { clock: systemClock })
    await queue.close()
    await leases.acquire('a', 'me', 1000)
    await leases.close()
    await expect(leases.inspect('a')).rejects.toMatchObject({ kind: 'unavailable', code: 'closed' })
  })

  it('undoes a transaction that throws', async () => {
    const work = database.write(({ run }) => {
      run("INSERT INTO lease VALUES ('x', 'me', 1, 1, 1, 0)")
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect(await database.read(({ all }) => all('SELECT * FROM lease'))).toEqual([])
  })

  it('gives up with a retryable error when another process keeps it busy', async () => {
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const impatient = await openImpatient(path, other)
    await expect(impatient.write(({ run }) => run('DELETE FROM lease'))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'coordination-busy',
      retryAfterMs: 1000,
    })
    expect(await impatient.read(({ all }) => all('SELECT * FROM lease'))).toEqual([])
    other.exec('ROLLBACK')
    expect(await impatient.write(({ run }) => run('DELETE FROM lease'))).toBe(0)
    impatient.close()
    other.close()
  })

  it('refuses the file of a newer program, and says what to do with what is no database (a copy of one in use)', async () => {
    await database.write(({ all }) => all('PRAGMA user_version = 99'))
    const open = () => openCoordinationDatabase(path, { clock: systemClock, random })
    await expect(open()).rejects.toMatchObject({ kind: 'unsupported', code: 'coordination-version' })
    database.close()
    rmSync(`${path}-wal`, { force: true })
    writeFileSync(path, 'this is no database, but long enough to be looked at'.repeat(100))
    await expect(open()).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'coordination-damaged',
      message: expect.stringContaining('delete it'),
    })
  })

  describe('between processes', () => {
    it('a lease is held by one at a time', async () => {
      const children = await Promise.all([1, 2, 3].map(() => startChild(child, [path])))
      const held = await Promise.all(children.map((each) => each.ask<number[]>('lease')))
      expect(new Set(held.flat()).size).toBe(60)
      for (const each of children) await each.end()
    })

    it('every message is received once, and those of other processes are seen', async () => {
      const children = await Promise.all([1, 2, 3].map(() => startChild(child, [path])))
      const [sender, ...receivers] = children
      const received = Promise.all(receivers.map((each) => each.ask<string[]>('receive')))
      expect(await sender?.ask('send')).toBe('sent')
      const bodies = (await received).flat()
      expect(bodies.sort()).toEqual(Array.from({ length: 10 }, (_, at) => `${sender?.pid}/${at}`))
      for (const each of children) await each.end()
    })
  })
})

const child = new URL('./coordination.child.ts', import.meta.url)

/** Opened while the lock is free, since opening needs it. */
async function openImpatient(path: string, holder: DatabaseSync): Promise<SharedDatabase> {
  holder.exec('ROLLBACK')
  const database = await openCoordinationDatabase(path, { clock: systemClock, random, busyWaitMs: 50 })
  holder.exec('BEGIN IMMEDIATE')
  return database
}
