/**
 * `node test/registry/killed/main.ts [--kills 1000] [--seed 1]`: processes of a registry on one directory that end with SIGKILL.
 * - `--kills` rounds of a process that registers, moves, commits, deletes and collects, and is killed before a write that chance names.
 *   After each, nothing acknowledged is lost and nothing is half visible of the artifacts that it touched; after each tenth, of none. Each
 *   hundred rounds begin with a new directory, so that all rounds take about as long.
 * - A token of 1,000 calls that four processes spend, each killed again and again: never 1,001.
 * - 200 posts at the same time to four processes: one 201 for each source.
 * - Accounts and tokens of the server at both addresses of one process.
 * Ends with "N passed, N failed".
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Registry, Sources } from '@siltstone/registry'
import { openStore } from 'siltstone'
import { closeEnvironment, openEnvironmentAt, seededRandom, silentLogger } from 'siltstone/internal'
import { Process } from '../../processes/process.ts'
import { ADMIN, logIn, serveRegistry } from '../served.ts'
import { Acknowledged, faultsOf, storedIds } from './checks.ts'
import type { Said } from './said.ts'

const PARTICIPANT = fileURLToPath(new URL('participant.ts', import.meta.url))
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '25' }, seed: { type: 'string', default: '1' } },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
const random = seededRandom(seed)
const below = (n: number) => Math.floor(random.next() * n)
const say = (text: string) => void process.stdout.write(`${text}\n`)
/** More than a round makes: then its process ends by itself. */
const MOST_WRITES = 260
const CALLS = 1_000
/** The whole store is looked at after so many rounds. */
const ROUNDS_TO_CHECK = 10
const ROUNDS_ON_ONE_STORE = 100
/** A process loses at most the rest of a block of 25 calls. */
const LOST_PER_KILL = 24

let passed = 0
let failed = 0
const folder = await mkdtemp(join(tmpdir(), 'siltstone-registry-killed-'))
try {
  await check('nothing is lost or half visible', killedWriters)
  await check('a token is never good for more calls than its limit', killedCallers)
  await check('200 posts at the same time give one artifact for each source', parallelPosts)
  await check('accounts and tokens of the server open both addresses', bothAddresses)
} finally {
  await rm(folder, { recursive: true, force: true })
}
say(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** @param work returns what is to be said about a success, or what is wrong */
async function check(name: string, work: (data: string) => Promise<string | string[]>): Promise<void> {
  const faults = await work(join(folder, String(passed + failed))).catch((error: unknown) => [
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  ])
  if (typeof faults === 'string') {
    passed++
    say(`passed: ${name}: ${faults}`)
    return
  }
  failed++
  for (const text of faults.slice(0, 20)) say(`FAIL ${name}: ${text}`)
}

/** Runs until it is killed. @throws Error if it ends in another way, or writes to stderr */
async function participate(args: readonly string[]): Promise<Said[]> {
  const child = new Process([PARTICIPANT, ...args])
  let out = ''
  child.child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const code = await child.exited
  if (code !== null || !child.log.endsWith('SIGKILL')) throw new Error(`it ended with ${code}: ${child.log}`)
  const lines = out.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Said)
}

async function killedWriters(data: string): Promise<string | string[]> {
  const sum = { acknowledged: 0, artifacts: 0 }
  for (let first = 0; first < kills; first += ROUNDS_ON_ONE_STORE) {
    const place = `${data}-${first}`
    const faults = await killedOnOneStore(place, first, Math.min(kills, first + ROUNDS_ON_ONE_STORE), sum)
    if (faults.length > 0) return faults
    await rm(place, { recursive: true, force: true })
    if (kills > ROUNDS_ON_ONE_STORE) say(`${Math.min(kills, first + ROUNDS_ON_ONE_STORE)} of ${kills} kills`)
  }
  return `${kills} kills, ${sum.acknowledged} acknowledgements, ${sum.artifacts} artifacts`
}

/** @param sum what it adds to */
async function killedOnOneStore(
  data: string,
  first: number,
  end: number,
  sum: { acknowledged: number; artifacts: number },
): Promise<string[]> {
  const known = new Acknowledged()
  let before = new Set<string>()
  for (let round = first; round < end; round++) {
    const limit = below(MOST_WRITES)
    const said = await participate([data, 'work', String(seed * 100_000 + round), String(limit)])
    for (const each of said) known.add(each)
    sum.acknowledged += said.filter(({ kind }) => kind !== 'touching').length
    const environment = await openEnvironmentAt(data)
    const index = await openStore({ environment })
    const { store, clock, ids } = environment
    const sources = new Sources({ clock, random: environment.random })
    const registry = new Registry({ store, index, clock, ids, log: silentLogger, sources })
    const stored = new Set(await storedIds(registry))
    // One that was being made when the process was killed was not named.
    const touched = new Set([...stored].filter((id) => !before.has(id)))
    for (const each of said) if ('id' in each) touched.add(each.id)
    const isWhole = round % ROUNDS_TO_CHECK === ROUNDS_TO_CHECK - 1 || round === end - 1
    const faults = await faultsOf(registry, known, isWhole ? undefined : touched)
    await index.close()
    await closeEnvironment(environment)
    if (faults.length > 0) return [`after round ${round} (--seed ${seed}), killed before write ${limit}:`, ...faults]
    before = stored
  }
  sum.artifacts += known.sources.size
  return []
}

async function killedCallers(data: string): Promise<string | string[]> {
  const server = await serveRegistry(data)
  const token = (await logIn(server)).replace('bearer ', '')
  await server.stop()
  let calls = 0
  let killed = 0
  const caller = async () => {
    for (;;) {
      const said = await participate([data, 'calls', token, String(60 + below(120))])
      calls += said.filter(({ kind }) => kind === 'call').length
      if (said.some(({ kind }) => kind === 'refused')) return
      killed++
    }
  }
  await Promise.all([caller(), caller(), caller(), caller()])
  if (calls > CALLS) return [`${calls} calls were allowed`]
  const least = CALLS - (killed + 4) * LOST_PER_KILL
  return calls < least ? [`only ${calls} calls were allowed after ${killed} kills`] : `${calls} calls, ${killed} kills`
}

async function parallelPosts(data: string): Promise<string | string[]> {
  const servers = [await serveRegistry(data)]
  while (servers.length < 4) servers.push(await serveRegistry(data))
  const [first] = servers as [(typeof servers)[number]]
  const token = await logIn(first)
  const posts = Array.from({ length: 200 }, async (_, n) => {
    const source = n >> 1
    const server = servers[(n + (n & 1)) % 4] ?? first
    const body = { url: `https://elsewhere.test/owner/n${source}` }
    const { status, body: made } = await server.call('POST', '/artifact/model', { token, body })
    return { source, status, id: (made as { metadata?: { id: string } } | undefined)?.metadata?.id }
  })
  const answers = await Promise.all(posts)
  const faults: string[] = []
  for (let source = 0; source < 100; source++) {
    const statuses = answers.filter((each) => each.source === source).map(({ status }) => status)
    if (statuses.toSorted((a, b) => a - b).join() !== '201,409') faults.push(`source ${source}: ${statuses.join()}`)
  }
  const made = new Set(answers.flatMap(({ id }) => id ?? []))
  for (const server of servers) {
    const { body } = await server.call('POST', '/artifacts?limit=1000', { token, body: [{ name: '*' }] })
    const listed = new Set((body as { id: string }[]).map(({ id }) => id))
    if (listed.size !== 100 || [...made].some((id) => !listed.has(id))) faults.push(`${listed.size} are listed`)
  }
  for (const server of servers) await server.stop()
  return faults.length > 0 ? faults : '100 sources, each twice'
}

async function bothAddresses(data: string): Promise<string | string[]> {
  const tokens = [
    { token: 'ops', user: 'ops', role: 'admin', tenants: ['*'] },
    { token: 'acme', user: 'acme', role: 'admin', tenants: ['acme'] },
  ]
  const env = { SILTSTONE_TOKENS: JSON.stringify(tokens) }
  const server = await serveRegistry(data, {}, { args: ['--registry-accounts'], env })
  const root = (await logIn(server)).replace('bearer ', '')
  const user = { user: { name: 'ada' }, secret: { password: ADMIN.password }, tenants: ['default_tenant'] }
  await server.call('POST', '/register', { token: root, body: user })
  const key = await server.call('POST', '/user/ada/keys', { token: root, body: {} })
  const ada = (key.body as { token: string }).token
  const path = '/api/v2/tenants/default_tenant/databases/default_database/collections'
  const rows: [string, string | undefined, number, number][] = [
    ['nobody', undefined, 403, 401],
    ['a wrong token', 'wrong', 403, 401],
    ['a login', root, 200, 200],
    ['a key', ada, 200, 200],
    ['a token of the server', 'ops', 200, 200],
    ['one without the tenant', 'acme', 403, 403],
  ]
  const faults: string[] = []
  for (const [name, token, ofRegistry, ofStore] of rows) {
    const asked = await server.call('POST', '/artifacts', { token, body: [] })
    const headers: Record<string, string> = token === undefined ? {} : { 'x-chroma-token': token }
    const stored = await server.callStore('GET', path, { headers })
    if (asked.status !== ofRegistry || stored.status !== ofStore) {
      faults.push(`${name}: ${asked.status} at the registry, ${stored.status} at Chroma's API`)
    }
  }
  const metrics = await server.callStore('GET', '/metrics', { headers: { 'x-chroma-token': ada } })
  if (metrics.status !== 403) faults.push(`metrics for one tenant: ${metrics.status}`)
  await server.stop()
  return faults.length > 0 ? faults : `${rows.length} tokens`
}
