/**
 * `npm run mutate -- --room query --count 50`: changes the code in one place at a time and runs the tests nearest to it.
 * A mutant that no test notices is printed as a diff: either it is equivalent to the original, or a test is missing.
 * Results are kept, so a run that was stopped continues.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { diffOf } from './diff.ts'
import { type Mutant, namedMutants, sampledMutants } from './mutants.ts'
import { ROOMS } from './rooms.ts'
import { type Verdict, Workshop } from './workshop.ts'

const USAGE = `npm run mutate -- [options]
  --room ROOM      one of ${Object.keys(ROOMS).join(', ')}; may be repeated (default: all)
  --count N        mutants per room (default 20)
  --seed N         selects the mutants (default 1)
  --named          only the mutants of scripts/mutate/named.ts, all of which must be killed
  --workers N      copies of the repository that are tested in parallel (default 2)
  --retry          judge survivors again, after tests were added
  --report         print the known results and judge none
  --list           print the mutants and judge none
`

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(tmpdir(), `siltstone-mutants-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`)

function options() {
  const { values } = parseArgs({
    options: {
      room: { type: 'string', multiple: true },
      count: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      named: { type: 'boolean', default: false },
      retry: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const rooms = values.room ?? Object.keys(ROOMS)
  const [count, workers] = [Number(values.count), Number(values.workers)]
  if (values.help || rooms.some((room) => !(room in ROOMS)) || !(count > 0) || !(workers > 0)) {
    console.error(USAGE)
    process.exit(values.help ? 0 : 2)
  }
  return { ...values, rooms, count, workers }
}

async function main(): Promise<number> {
  const asked = options()
  const mutants = asked.named
    ? namedMutants(root)
    : asked.rooms.flatMap((room) => sampledMutants(root, room, asked.count, asked.seed))
  if (asked.list) {
    for (const mutant of mutants) console.log(diffOf(mutant))
    return 0
  }
  mkdirSync(folder, { recursive: true })
  const journal = join(folder, 'verdicts.jsonl')
  const verdicts = readVerdicts(journal)
  const pending = mutants.filter(({ id }) => {
    const verdict = verdicts.get(id)
    return verdict === undefined || (asked.retry && verdict === 'survived')
  })
  const note = (mutant: Mutant, verdict: Verdict) => {
    verdicts.set(mutant.id, verdict)
    appendFileSync(journal, `${JSON.stringify({ id: mutant.id, verdict })}\n`)
    console.log(`${verdict.padEnd(16)} ${mutant.path}:${mutant.line} ${mutant.name}`)
  }
  if (!asked.report) await judgeAll(pending, asked.workers, note)
  return report(mutants, verdicts, asked.named)
}

async function judgeAll(
  pending: readonly Mutant[],
  workers: number,
  note: (mutant: Mutant, verdict: Verdict) => void,
): Promise<void> {
  if (pending.length === 0) return
  const copies = Array.from(
    { length: Math.min(workers, pending.length) },
    (_, i) => new Workshop(root, join(folder, `copy-${process.pid}-${i}`), join(folder, 'baselines.json')),
  )
  const removeAll = () => {
    for (const copy of copies) copy.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      removeAll()
      process.exit(1)
    })
  try {
    const bad = await (copies[0] as Workshop).uncompilable(pending)
    for (const mutant of bad) note(mutant as Mutant, 'does-not-compile')
    const queue = pending.filter((mutant) => !bad.has(mutant))
    await Promise.all(
      copies.map(async (copy) => {
        for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
          note(mutant, await copy.judge(mutant, mutant.nearest))
        }
      }),
    )
  } finally {
    removeAll()
  }
}

function readVerdicts(journal: string): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>()
  if (!existsSync(journal)) return verdicts
  for (const line of readFileSync(journal, 'utf8').split('\n')) {
    if (line === '') continue
    const { id, verdict } = JSON.parse(line) as { id: string; verdict: Verdict }
    verdicts.set(id, verdict)
  }
  return verdicts
}

/** @returns the exit code: 1 when a named mutant was not killed */
function report(mutants: readonly Mutant[], verdicts: ReadonlyMap<string, Verdict>, named: boolean): number {
  const survivors = mutants.filter(({ id }) => verdicts.get(id) === 'survived')
  for (const mutant of survivors) console.log(`\n${diffOf(mutant)}`)
  for (const room of new Set(mutants.map((mutant) => mutant.room))) {
    const counts: Record<Verdict, number> = { killed: 0, timeout: 0, survived: 0, 'does-not-compile': 0 }
    for (const mutant of mutants) {
      const verdict = verdicts.get(mutant.id)
      if (mutant.room === room && verdict) counts[verdict]++
    }
    const noticed = counts.killed + counts.timeout
    const score = (100 * noticed) / Math.max(1, noticed + counts.survived)
    console.log(
      `${room}: ${score.toFixed(0)} % of ${noticed + counts.survived} noticed (${counts.killed} killed, ${counts.timeout} timed out, ${counts.survived} survived; ${counts['does-not-compile']} do not compile)`,
    )
  }
  return named && mutants.some(({ id }) => !['killed', 'timeout'].includes(verdicts.get(id) ?? '')) ? 1 : 0
}

process.exitCode = await main()
