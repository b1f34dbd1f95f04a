/** The whole product on AWS: processes start and end on one bucket, one queue and one table. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  openBucket,
  openQueue,
  openTable,
  targets,
  type TestBucket,
  type TestQueue,
  type TestTable,
  variablesOf,
} from '@siltstone/emulated-aws'
import { Chroma } from '../chroma.ts'
import { runCommand, type Server, startServer, tryCommand } from '../program.ts'

const DIMENSIONS = 8
const vectorOf = (id: number): number[] => Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(id * (at + 1)))

describe.each(targets())('$name', (target) => {
  const isFirst = target.name === targets()[0]?.name
  let bucket: TestBucket
  let queue: TestQueue
  let table: TestTable
  let servers: Server[]
  let place: string
  let env: Record<string, string | undefined>

  beforeEach(async () => {
    bucket = await openBucket(target)
    queue = await openQueue(target, 5)
    table = await openTable(target)
    servers = []
    place = bucket.url()
    env = { ...variablesOf(target), SILTSTONE_QUEUE_URL: queue.url, SILTSTONE_LOCK_TABLE: table.name }
  })
  afterEach(async () => {
    for (const server of servers) await server.kill()
    await Promise.all([bucket.dispose(), queue.dispose(), table.dispose()])
  })

  const start = async (variables = env): Promise<Server> => {
    const server = await startServer(place, variables)
    servers.push(server)
    return server
  }
  const gone = (server: Server) => {
    servers = servers.filter((other) => other !== server)
  }
  const published = () =>
    vi.waitFor(
      async () => {
        const keys = await bucket.keys()
        expect(keys.filter((key) => /\/snapshot\/.+\/manifest\//.test(key)).length).toBeGreaterThan(0)
        return keys
      },
      { timeout: 30_000, interval: 300 },
    )

  it('writes, compacts and answers; loses nothing when one of two servers is killed', async () => {
    const [first, second] = await Promise.all([start(), start()])
    const one = await new Chroma(first.url).collection('things')
    const two = await new Chroma(second.url).collection('things')
    const acknowledged: string[] = []
    const write = async (through: Chroma, ids: number[]) => {
      await through.upsert(ids.map(String), ids.map(vectorOf))
      acknowledged.push(...ids.map(String))
    }
    await write(one, [1, 2, 3])
    await write(two, [4, 5, 6])
    expect(await one.nearest(vectorOf(5), 1)).toEqual(['5'])
    expect(await two.nearest(vectorOf(2), 1)).toEqual(['2'])
    await published()

    // Both write at the same time while one of them is killed.
    let next = 7
    let isKilled = false
    const keepWriting = async (through: Chroma, until: () => boolean) => {
      while (!until()) {
        const ids = [next++, next++]
        const failed = await write(through, ids).then(
          () => false,
          (error: unknown) => {
            if (!isKilled) throw error
            return true
          },
        )
        if (failed) return
      }
    }
    let isOver = false
    const writers = [keepWriting(one, () => false), keepWriting(two, () => isOver)]
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(20), { timeout: 30_000 })
    isKilled = true
    await first.kill()
    gone(first)
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(40), { timeout: 30_000 })
    isOver = true
    await Promise.all(writers)

    const again = await start()
    const three = await new Chroma(again.url).collection('things')
    for (const reader of [two, three]) {
      const ids = await reader.ids()
      expect(acknowledged.filter((id) => !ids.has(id))).toEqual([])
    }
    await runCommand(['compact', '--data', place], env)
    expect(JSON.parse(await runCommand(['verify', '--data', place, '--json'], env))).toMatchObject([
      { problems: [] },
      { name: 'catalog', problems: [] },
    ])
    expect(await three.nearest(vectorOf(1), 1)).toEqual(['1'])
    for (const server of [second, again]) {
      expect(await server.stop()).toBe(0)
      gone(server)
    }
  })

  it('compacts at once with neither queue nor table', async () => {
    const alone = { ...env, SILTSTONE_QUEUE_URL: undefined, SILTSTONE_LOCK_TABLE: undefined }
    const server = await start(alone)
    const chroma = await new Chroma(server.url).collection('things')
    await chroma.upsert(['1'], [vectorOf(1)])
    // By schedule it would take a minute.
    const keys = await published()
    expect(keys.filter((key) => key.includes('/.siltstone/lease/')).length).toBeGreaterThan(0)
    expect(await chroma.nearest(vectorOf(1), 1)).toEqual(['1'])
    const leases = JSON.parse(await runCommand(['lease', 'show', '--data', place, '--json'], alone)) as unknown[]
    expect(leases.length).toBeGreaterThan(0)
    expect(await server.stop()).toBe(0)
    gone(server)
  })

  // It starts many processes, and tests nothing that the other tests do not test on each server.
  it.runIf(isFirst)('does every command on a bucket as on a directory', { timeout: 300_000 }, async () => {
    const run = (...args: string[]) => runCommand([...args, '--data', place], env)
    await run('collections', 'create', 'notes')
    await run('produce', 'notes', '--op', 'add', 'test/aws/records.jsonl')
    expect(await run('get', 'notes')).toContain('Silt settles')
    await run('compact')
    expect(await run('query', 'notes', '--text', 'why do rivers drop mud?')).toContain('Silt settles')
    expect(JSON.parse(await run('snapshots', 'list', 'notes', '--json'))).toHaveLength(1)
    await run('collections', 'fork', 'notes', 'copy')
    expect(await run('verify')).toContain('whole')
    await run('gc')
    expect(JSON.parse(await run('doctor', '--json'))).toMatchObject(
      expect.arrayContaining(
        ['bucket', 'conditional puts', 'queue settings', 'lock table', 'dead letters'].map(
          (name) => expect.objectContaining({ name, verdict: 'ok' }) as unknown,
        ),
      ) as unknown as object,
    )
    await run('collections', 'delete', 'copy', '--yes')
  })

  it.runIf(isFirst)('says clearly what is wrong', async () => {
    const query = (data: string, variables: Record<string, string | undefined> = {}) =>
      tryCommand(['get', 'notes', '--data', data], { ...env, AWS_EC2_METADATA_DISABLED: 'true', ...variables })
    const noBucket = await query('s3://siltstone-there-is-no-such-bucket/x')
    expect(noBucket).toMatchObject({ code: 3 })
    expect(noBucket.err).toContain('there is no such bucket')
    const noStore = await query(`s3://${bucket.name}/nothing`)
    expect(noStore).toMatchObject({ code: 3 })
    expect(noStore.err).toContain('there is no store')
    const home = { HOME: '/nowhere', AWS_PROFILE: undefined }
    const anonymous = { ...home, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }
    const noCredentials = await query(place, anonymous)
    expect(noCredentials).toMatchObject({ code: 5 })
    expect(noCredentials.err).toContain('no AWS credentials')
    const badUrl = await query('s3://')
    expect(badUrl).toMatchObject({ code: 2 })
    const noTable = await tryCommand(['lease', 'show', '--data', place], { ...env, SILTSTONE_LOCK_TABLE: 'nothing' })
    expect(noTable.code).not.toBe(0)
  })
})
