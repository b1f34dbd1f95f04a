/**
 * What a registry of a million artifacts answers: one by its id, by name, a page of a list, a selective regular expression. Warm through its
 * HTTP interface without a socket, cold on distant storage.
 *
 * The index is filled by its own `reindex`, 200 artifacts at a time, from documents that are made up as it asks for them: a
 * million of them stored one by one would take hours and would only show how fast the disk is. A thousand are registered as any other,
 * and only they are asked for by their ids: that is one object, whose name is its id.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactIndex, createService, Registry, Sources } from '@siltstone/registry'
import { openStore } from 'siltstone'
import {
  closeEnvironment,
  countingObjectStore,
  delayingObjectStore,
  openEnvironment,
  silentLogger,
  type StoreCounts,
  roundsObjectStore,
} from 'siltstone/internal'
import type { Report, Row } from '../measure/report.ts'
import { addCounts } from '../measure/rows.ts'
import { median, percentile } from '../measure/statistics.ts'
import { STORES } from '../places.ts'
import type { Scenario } from './scenario.ts'

type IndexOptions = ConstructorParameters<typeof ArtifactIndex>[0]
type ArtifactDocument = NonNullable<Awaited<ReturnType<IndexOptions['read']>>>

const REGISTERED = 1_000
const COMPACTED_EVERY = 20_000
const FRESH = 10
const ADMIN = { name: 'root', password: 'a password for measuring' }
const VIEWER = { name: ADMIN.name, isAdmin: true }
const FAR = { atomicListPages: true, cheapStartAfter: true, isLocal: false, gapBytes: 32 * 1024 }
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** After those that are registered when this runs, one each ten seconds. */
const FIRST_MS = Date.UTC(2050, 0, 1)
const EVERY_MS = 10_000

export const registry: Scenario = {
  about:
    'a registry of that many artifacts: by id, by name, a page, a selective regular expression; warm, and cold at 63 ms per request',
  records: [1_000_000],
  run: async (options, report) => {
    const { records, queries, delayMs, rebuild } = { ...options, records: report.records }
    const folder = join(STORES, `registry-${records}`)
    if (rebuild) rmSync(folder, { recursive: true, force: true })
    if (!existsSync(join(folder, 'built'))) {
      rmSync(folder, { recursive: true, force: true })
      report.table('Filling the index', [await build(folder, records, report)])
      writeFileSync(join(folder, 'built'), '')
    }
    report.table(`Warm, ${records} artifacts`, await warm(folder, records, queries))
    for (const isStarted of [true, false])
      report.table(
        `The first request of a process ${isStarted ? 'after its start' : 'that reads nothing ahead'}, ${delayMs} ms before each request to storage`,
        await cold(folder, records, delayMs, isStarted),
      )
  },
}

async function opened(folder: string, delayMs = 0) {
  const local = await openEnvironment(folder)
  const { clock, ids, random } = local
  const far =
    delayMs === 0 ? local.store : delayingObjectStore(local.store, { clock, delayMs: () => delayMs, capabilities: FAR })
  const counting = countingObjectStore(far)
  const rounds = roundsObjectStore(counting)
  const environment = { ...local, store: rounds }
  const index = await openStore({ environment })
  const made = new Registry({
    store: rounds,
    index,
    clock,
    ids,
    log: silentLogger,
    sources: new Sources({ clock, random }),
  })
  const close = async () => {
    await index.close()
    await closeEnvironment(local)
  }
  return { registry: made, index, environment, counting, rounds, close }
}

async function build(folder: string, records: number, { note }: Report): Promise<Row> {
  const { registry: made, index, close } = await opened(folder)
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  for (let n = 0; n < Math.min(REGISTERED, records); n++)
    await made.add({
      type: 'model',
      name: `registered-${n}`,
      url: `https://elsewhere.test/owner/registered-${n}`,
      by: ADMIN.name,
    })
  const registeredS = (performance.now() - startedMs) / 1_000
  note(`${REGISTERED} registered`)
  const collections = index.in({ tenant: 'siltstone', database: 'registry' })
  const compact = async (full = false) => {
    for (const name of ['names', 'readmes']) await (await collections.getCollection({ name })).compact({ full })
  }
  const filler = new ArtifactIndex({
    store: index,
    read: async (id) => madeUp(id) ?? (await made.artifacts.document(id)),
    ids: async function* ids() {
      for (let n = REGISTERED; n < records; n++) {
        if (n % COMPACTED_EVERY === 0) {
          await compact()
          note(`${n} of ${records}`)
        }
        yield idOf(n)
      }
    },
  })
  const { artifacts } = await filler.reindex()
  await compact(true)
  await close()
  const used = process.cpuUsage(cpu)
  return {
    artifacts,
    seconds: (performance.now() - startedMs) / 1_000,
    'CPU s': (used.user + used.system) / 1e6,
    'ms a registration': (1_000 * registeredS) / REGISTERED,
  }
}

/** A ULID whose last characters are the number. */
function idOf(n: number): string {
  let time = FIRST_MS + n * EVERY_MS
  let text = ''
  for (let at = 0; at < 10; at++, time = Math.floor(time / 32)) text = CROCKFORD[time % 32] + text
  return `${text}${String(n).padStart(16, '0')}`
}

const WORDS = ['river', 'sand', 'clay', 'harbour', 'tide', 'gale', 'buoy', 'chart', 'delta', 'silt', 'reef', 'swell']

function madeUp(id: string): ArtifactDocument | undefined {
  const n = Number(id.slice(10))
  if (!Number.isSafeInteger(n)) return undefined
  const name = `model-${n}`
  const words = Array.from({ length: 60 }, (_, at) => WORDS[(n * 31 + at * at * 7) % WORDS.length])
  const url = `https://elsewhere.test/owner/${name}`
  return {
    metadata: { name, id, type: 'model' },
    data: {
      url,
      hf_data: [{ readme_text: `# ${name}\n\nStation ${n}: ${words.join(' ')}.`, pipeline_tag: null, datasets: [] }],
    },
    created_at: new Date(FIRST_MS + n * EVERY_MS).toISOString(),
    created_by: ADMIN.name,
    siltstone: { format: 'registry-artifact', v: 1, writes: [id], state: 'ready', repository: null, claims: [] },
  }
}

/** Spread over all of them, the same in each run. */
const chosen = (i: number, records: number) => REGISTERED + ((i * 7_919) % Math.max(1, records - REGISTERED))

async function warm(folder: string, records: number, queries: number): Promise<Row[]> {
  const { registry: made, environment, close } = await opened(folder)
  const { clock, random } = environment
  const service = await createService({
    registry: made,
    clock,
    random,
    log: silentLogger,
    version: '0',
    accounts: { admin: ADMIN },
    rateLimit: { perSecond: 1e9, burst: 1e9 },
  })
  const call = async (method: string, path: string, body?: unknown, token = ''): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', 'x-authorization': token }
    const request = new Request(`http://registry.test${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const answer = await service.fetch(request, '192.0.2.1')
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const session = await call('PUT', '/authenticate', { user: { name: ADMIN.name, is_admin: true }, secret: ADMIN })
  const { token } = (await call('POST', `/user/${ADMIN.name}/keys`, {}, String(session))) as { token: string }
  const registered: string[] = []
  for (let n = 0; n < REGISTERED; n += 10)
    registered.push(
      (await made.artifacts.findBySource('model', `https://elsewhere.test/owner/registered-${n}`))?.id ?? '',
    )
  const rows: Row[] = []
  const measured = async (what: string, reach: number, ask: (i: number) => Promise<unknown>) => {
    const startedMs = performance.now()
    await ask(0)
    const firstMs = performance.now() - startedMs
    const times: number[] = []
    const cpu = process.cpuUsage()
    for (let i = 1; i <= queries; i++) {
      const atMs = performance.now()
      await ask(i)
      times.push(performance.now() - atMs)
    }
    const used = process.cpuUsage(cpu)
    const sorted = times.toSorted((a, b) => a - b)
    rows.push({
      what,
      'p50 ms': median(times),
      'p99 ms': percentile(sorted, 0.99),
      'first ms': firstMs,
      'CPU ms each': (used.user + used.system) / 1_000 / queries,
      'to reach, p50 ms': reach,
      requests: queries,
    })
  }
  await measured('by id', 5, (i) =>
    call('GET', `/artifacts/model/${registered[i % registered.length]}`, undefined, token),
  )
  await measured('by name', 10, (i) => call('GET', `/artifact/byName/model-${chosen(i, records)}`, undefined, token))
  await measured('the first page of all', 20, () => call('POST', '/artifacts', [{ name: '*' }], token))
  await measured('a page anywhere', 20, (i) => made.index.list([{}], VIEWER, 100, idOf(chosen(i, records))))
  await measured('selective regular expression', 50, (i) =>
    call('POST', '/artifact/byRegEx', { regex: `Station ${chosen(i, records)}\\b` }, token),
  )
  await service.close()
  await close()
  return rows
}

/** @param isStarted the process has read ahead what a server and a function read while they start */
async function cold(folder: string, records: number, delayMs: number, isStarted: boolean): Promise<Row[]> {
  const asks: Record<string, (made: Registry, i: number) => Promise<unknown>> = {
    'by id': async (made, i) => made.artifacts.findBySource('model', `https://elsewhere.test/owner/registered-${i}`),
    'by name': (made, i) => made.index.list([{ name: `model-${chosen(i, records)}` }], VIEWER, 100),
    'a page': (made, i) => made.index.list([{}], VIEWER, 100, idOf(chosen(i, records))),
    'selective regular expression': (made, i) => made.index.matching(`Station ${chosen(i, records)}\\b`, VIEWER, 100),
  }
  const rows: Row[] = []
  for (const [what, ask] of Object.entries(asks)) {
    const times: number[] = []
    const rounds: number[] = []
    const all: StoreCounts[] = []
    for (let i = 1; i <= FRESH; i++) {
      const open = await opened(folder, delayMs)
      if (isStarted) await open.registry.index.prepare()
      open.counting.takeCounts()
      open.rounds.takeRounds()
      const startedMs = performance.now()
      await ask(open.registry, i * 13)
      times.push(performance.now() - startedMs)
      rounds.push(open.rounds.takeRounds())
      all.push(open.counting.takeCounts())
      await open.close()
    }
    const sum = all.reduce(addCounts)
    rows.push({
      what,
      'p50 ms': median(times),
      'rounds, p50': median(rounds),
      'GET each': (sum.get + sum.head) / FRESH,
      'LIST each': sum.list / FRESH,
      'KB each': sum.bytesOut / FRESH / 1e3,
    })
  }
  return rows
}
