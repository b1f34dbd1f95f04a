/**
 * A collection that is loaded into a bucket and compacted by nothing but invocations of the built compactor function, under
 * the memory, scratch disk and time that Lambda would enforce, with a time limit of a minute instead of fifteen. Some of the
 * invocations are killed at random moments. Each one that is not killed must commit something, or say that nothing is due.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  closeEnvironment,
  type Collection,
  countingObjectStore,
  type Environment,
  pathOf,
  pointerKey,
  StoreEngine,
} from 'siltstone/internal'
import { openS3Environment } from 'siltstone/aws'
import type { Dataset } from '../data/dataset.ts'
import { SeededRandom } from '../data/random.ts'
import { load } from '../inprocess/open.ts'
import { buildFunctions, type CompactorFunction, type Invoked, invokeCompactor } from '../lambda/compactor-function.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { percentile } from '../measure/statistics.ts'
import { SCRATCH } from '../places.ts'
import { startS3 } from '../servers/s3.ts'
import type { Scenario } from './scenario.ts'

const LIMITS = { memoryBytes: 3_008 * 2 ** 20, scratchBytes: 10 * 2 ** 30 }
const SECONDS = 60
const KILLS = 50
/** Of invocations, until there have been `KILLS`. */
const KILLED_PERCENT = 50
/** Invocations without any commit after which the run is given up. */
const GIVE_UP_AFTER = 20

export const invocations: Scenario = {
  about: 'a load and its compaction by invocations of the function, 3,008 MB, 10 GiB of disk, 60 s, killed at random',
  records: [2_000_000],
  run: async (options, report, open) => {
    buildFunctions()
    const data = open()
    const directory = mkdtempSync(join(SCRATCH, 'invocations-'))
    const [kills = KILLS] = options.values.get('kills') ?? []
    const [seconds = SECONDS] = options.values.get('seconds') ?? []
    const [killedPercent = KILLED_PERCENT] = options.values.get('killed-percent') ?? []
    const [killedWithin = seconds] = options.values.get('killed-within') ?? []
    const s3 = await startS3(join(directory, 'bucket'))
    try {
      // The SDK reads credentials from there alone.
      Object.assign(process.env, s3.variables)
      const env = await openS3Environment(s3.place)
      const compactor: CompactorFunction = {
        variables: { ...s3.variables, SILTSTONE_DATA: s3.place },
        limits: { ...LIMITS, timeMs: seconds * 1_000 },
        temporary: join(directory, 'tmp'),
      }
      const run = new Run({ env, compactor, data, report, kills, killedPercent, killedWithin, seed: options.seed })
      try {
        await run.all()
      } finally {
        run.tell()
        await closeEnvironment(env)
      }
    } finally {
      await s3.stop()
      if (!options.keep) rmSync(directory, { recursive: true, force: true })
    }
  },
}

interface RunOptions {
  env: Environment
  compactor: CompactorFunction
  data: Dataset
  report: Report
  kills: number
  killedPercent: number
  /** Seconds; sooner if the last invocation that was not killed took less. */
  killedWithin: number
  seed: number
}

class Run {
  readonly #options: RunOptions
  readonly #random: SeededRandom
  readonly #invoked: (Invoked & { phase: string; committed: boolean })[] = []
  readonly #written: Row[] = []
  #path = ''
  #phase = 'load'
  /** The duration of the last invocation that was not killed. */
  #lastMs = 5_000
  #idle = 0

  constructor(options: RunOptions) {
    this.#options = options
    this.#random = new SeededRandom(options.seed)
  }

  async all(): Promise<void> {
    const { env, data, report } = this.#options
    const counting = countingObjectStore(env.store)
    const engine = await StoreEngine.open({ env: { ...env, store: counting } })
    const { info } = await engine.catalog.createCollection({
      tenant: 'default_tenant',
      database: 'default_database',
      name: 'bench',
      getOrCreate: true,
      space: 'cosine',
      metadata: null,
      configuration: { hnsw: { space: 'cosine' } },
      schema: null,
    })
    this.#path = pathOf(info)
    const collection = await engine.collection(info.tenant, info.database, info.id)
    await load(collection, data, { whenFull: () => this.#invoke().then(() => undefined) })
    report.note('everything is written')
    this.#phase = 'rest'
    // Killed invocations say nothing, and a busy one may be waiting for the lease of a killed one.
    while (!isAtRest(await this.#invoke()));
    await this.#check(collection)
    await engine.close()
    this.#written.push({ 'log MB': megabytes(counting.counts().bytesIn) })
  }

  async #check(collection: Collection): Promise<void> {
    const { data } = this.#options
    const count = await collection.count()
    if (count !== data.count) throw new Error(`${count} records are left of ${data.count}`)
  }

  async #invoke(): Promise<Invoked> {
    const { env, compactor, kills, killedPercent, killedWithin, report } = this.#options
    const isKill = this.#count('killed') < kills && this.#random.next() * 100 < killedPercent
    const before = await this.#pointer()
    const killAfterMs = isKill ? 300 + this.#random.next() * Math.min(this.#lastMs, killedWithin * 1_000) : undefined
    const invoked = await invokeCompactor(compactor, this.#path, killAfterMs)
    const committed = (await this.#pointer()) !== before
    this.#invoked.push({ ...invoked, phase: this.#phase, committed })
    report.note(
      `${invoked.status}, ${invoked.entriesFolded} entries, ${invoked.merges} merges, ${invoked.seconds.toFixed(1)} s, ` +
        `${megabytes(invoked.peakRssBytes)} MB${committed ? '' : ', no commit'}${invoked.error && ` (${invoked.error})`}`,
    )
    if (invoked.status === 'killed') {
      // Instead of waiting until they expire.
      for (const { name } of await env.leases.list()) await env.leases.force(name)
      return invoked
    }
    this.#lastMs = invoked.seconds * 1_000
    this.#idle = committed ? 0 : this.#idle + 1
    if (!committed && !isAtRest(invoked) && this.#idle >= GIVE_UP_AFTER)
      throw new Error(`${this.#idle} invocations one after another committed nothing, and something is due`)
    return invoked
  }

  async #pointer(): Promise<string> {
    const got = await this.#options.env.store.get(pointerKey(this.#path))
    return got.status === 'ok' ? Buffer.from(got.body).toString() : got.status
  }

  #count(status: Invoked['status']): number {
    return this.#invoked.filter((one) => one.status === status).length
  }

  tell(): void {
    const { compactor, data, report } = this.#options
    const rows = ['load', 'rest'].map((phase): Row => {
      const all = this.#invoked.filter((one) => one.phase === phase)
      const whole = all.filter(({ status }) => status !== 'killed')
      const seconds = whole.map((one) => one.seconds).sort((a, b) => a - b)
      const statuses = [...new Set(all.map(({ status }) => status))]
      return {
        phase,
        invocations: all.length,
        statuses: statuses.map((status) => `${all.filter((one) => one.status === status).length} ${status}`).join(', '),
        'not killed, no commit, something due': whole.filter((one) => !one.committed && !isAtRest(one)).length,
        'killed after a commit': all.filter((one) => one.status === 'killed' && one.committed).length,
        'p50 s': percentile(seconds, 0.5),
        'max s': seconds.at(-1) ?? Number.NaN,
        'CPU s': all.reduce((sum, one) => sum + one.cpuSeconds, 0),
        'peak RSS MB': megabytes(Math.max(0, ...all.map((one) => one.peakRssBytes))),
        'peak scratch MB': megabytes(Math.max(0, ...all.map((one) => one.peakScratchBytes))),
      }
    })
    report.table(
      `Invocations of ${compactor.limits.timeMs / 1_000} s for ${data.name}, ${data.dimension} dimensions`,
      rows,
    )
    if (this.#written.length > 0) report.table('Written', this.#written)
  }
}

function isAtRest({ status, entriesFolded, merges }: Invoked): boolean {
  return status === 'done' && entriesFolded === 0 && merges === 0
}
