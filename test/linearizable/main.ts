/**
 * Whether histories of real processes are linearizable: `bash test/linearizable/run.sh [--runs N] [--operations N]
 * [--seconds N] [--seed N] [--only directory|s3] [--no-broken] [--keep]`; a run begins no operation after so many seconds.
 * Ends with `N passed, N failed`. The runs are on a directory, and in
 * a bucket behind a proxy that spoils requests; for each place, broken copies of the product must be caught. A run that
 * fails keeps its folder: the store or its name, the history, and a drawing of the group that is not linearizable.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CREDENTIALS, definitions, install, openBucket, start } from '@siltstone/emulated-aws'
import { Chance } from '../processes/chance.ts'
import type { Variables } from '../processes/process.ts'
import { Checker, type Verdict } from './checker.ts'
import { FaultyProxy } from './faulty-proxy.ts'
import { createThings, type Figures, runOnce } from './run.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    operations: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string' },
    'no-broken': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
/** Broken copies, and those also tried in a bucket; they must be caught within this many operations. */
const BROKEN = { directory: ['late-read', 'early-answer'], s3: ['late-read'] }
const BROKEN_OPERATIONS = 250

interface Place {
  name: keyof typeof BROKEN
  /** Makes a store for one run. */
  open(
    folder: string,
    seed: number,
  ): Promise<{ place: string; env: Variables; proxy?: FaultyProxy; dispose(): Promise<void> }>
  stop(): Promise<void>
}

const directories: Place = {
  name: 'directory',
  open: (folder) => {
    const place = join(folder, 'store')
    mkdirSync(place)
    return Promise.resolve({ place, env: {}, dispose: () => Promise.resolve() })
  },
  stop: () => Promise.resolve(),
}

/** MiniStack, which checks signatures. */
async function buckets(): Promise<Place> {
  const [definition] = definitions
  if (definition === undefined) throw new Error('there is no server of S3')
  Object.assign(process.env, CREDENTIALS)
  await install(definition)
  const server = await start(definition)
  process.env['AWS_ENDPOINT_URL'] = server.endpoint
  return {
    name: 's3',
    open: async (_, seed) => {
      const bucket = await openBucket(server)
      const proxy = await FaultyProxy.start(server.endpoint, new Chance(seed))
      return {
        place: bucket.url(),
        env: { ...CREDENTIALS, AWS_ENDPOINT_URL: proxy.endpoint },
        proxy,
        dispose: async () => {
          await proxy.stop()
          await bucket.dispose()
        },
      }
    },
    stop: () => server.stop(),
  }
}

const home = mkdtempSync(join(tmpdir(), 'siltstone-linearizable-'))
const say = (line: string) => console.log(`[${new Date().toISOString().slice(11, 19)}] ${line}`)
let passed = 0
let failed = 0

async function attempt(at: Place, name: string, seed: number, operations: number, broken?: string): Promise<void> {
  const folder = join(home, `${at.name}-${name}`)
  mkdirSync(folder)
  const file = join(folder, 'history.jsonl')
  const startedMs = performance.now()
  const told = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  const store = await at.open(folder, seed)
  let isKept = values.keep
  try {
    await createThings(store.place)
    const env = { ...store.env, ...(broken !== undefined && { SILTSTONE_TEST_BROKEN: broken }) }
    const figures = await runOnce({ ...store, env, operations, seconds: Number(values.seconds), seed, file })
    const verdict = checker.check(file, join(folder, 'group.html'))
    judge(figures, verdict, broken)
    passed++
    const requests = store.proxy ? ` ${JSON.stringify(store.proxy.counts)}` : ''
    say(`ok     ${at.name} ${name} (${told()}) ${JSON.stringify(figures)} ${JSON.stringify(verdict)}${requests}`)
  } catch (error) {
    failed++
    isKept = true
    say(`FAILED ${at.name} ${name} (${told()}), seed ${seed}, left in ${folder} and ${store.place}`)
    console.log(error)
  } finally {
    if (!isKept || at.name !== 'directory') await store.dispose()
    if (!isKept) rmSync(folder, { recursive: true, force: true })
  }
}

function judge({ operations, kills, stops }: Figures, { result, failed: group }: Verdict, broken?: string): void {
  if (result !== (broken === undefined ? 'Ok' : 'Illegal'))
    throw new Error(
      `${broken ?? 'the history'}: the checker says ${result}${group === undefined ? '' : `, group ${group}`}`,
    )
  if (operations === 0 || (broken === undefined && kills + stops === 0)) throw new Error('nothing happened')
}

async function runAll(): Promise<void> {
  const names = ['directory', 's3'].filter((name) => values.only === undefined || values.only === name)
  if (names.length === 0) throw new Error(`--only ${values.only}: choose directory or s3`)
  for (const name of names) {
    const place = name === 'directory' ? directories : await buckets()
    try {
      for (let run = 0; run < Number(values.runs); run++)
        await attempt(place, String(run), seed + run * 10, Number(values.operations))
      if (!values['no-broken'])
        for (const broken of BROKEN[place.name]) await attempt(place, broken, seed, BROKEN_OPERATIONS, broken)
    } finally {
      await place.stop()
    }
  }
}

const seed = Number(values.seed)
say(`seed ${seed}, in ${home}`)
let checker: Checker
try {
  checker = Checker.build(home)
  passed++
  await runAll()
} catch (error) {
  failed++
  console.error(error)
}
if (failed === 0 && !values.keep) rmSync(home, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
