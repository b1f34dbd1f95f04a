/** The process that `main.ts` watches. It prints a line of JSON before each series of inputs, for each finding, and at its end. */
import { allTargets } from './targets.ts'
import { watchAllocations } from './allocations.ts'
import { type Case, expectedOf, Finding, newTally, runCase } from './target.ts'

const [minutes, seed, first, only = '', replay = ''] = process.argv.slice(2)
/** Inputs of one target, one after another. */
const STRETCH = 200

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`)
const found = new Map<string, number>()
const targets = (await allTargets()).filter(({ name }) => only === '' || name === only)
const allocations = watchAllocations()
const all = await Promise.all(
  targets.map(async (target) => ({ target, expected: await expectedOf(target), tally: newTally() })),
)
const untilMs = performance.now() + Number(minutes) * 60_000

async function one(given: Case, entry: (typeof all)[number]): Promise<void> {
  try {
    await runCase(given, entry.expected, allocations, entry.tally)
  } catch (error) {
    if (!(error instanceof Finding)) throw error
    const { name } = given.target
    // The same fault is found again and again.
    found.set(name, (found.get(name) ?? 0) + 1)
    if ((found.get(name) ?? 0) <= 3)
      say({
        target: name,
        iteration: given.iteration,
        finding: `${error.message}\n${(error.cause as Error | undefined)?.stack ?? ''}`,
      })
  }
}

if (replay !== '') {
  for (const entry of all) await one({ target: entry.target, seed: Number(seed), iteration: Number(replay) }, entry)
} else {
  for (let round = Math.floor(Number(first) / STRETCH); performance.now() < untilMs; round++) {
    for (const entry of all) {
      const { target } = entry
      say({ target: target.name, iteration: round * STRETCH })
      for (let i = 0; i < (target.slow === true ? STRETCH / 10 : STRETCH); i++)
        await one({ target, seed: Number(seed), iteration: round * STRETCH + i }, entry)
    }
  }
}
for (const { target, tally } of all) {
  const findings = found.get(target.name) ?? 0
  if (findings === 0)
    say({ target: target.name, iteration: 0, summary: { ...tally, slowestMs: Math.round(tally.slowestMs) } })
}
