import { runHistory } from './history.ts'
const first = Number(process.argv[2] ?? 1)
const count = Number(process.argv[3] ?? 20)
const started = performance.now()
let events = 0
const failures = new Map<string, number[]>()
for (let seed = first; seed < first + count; seed++) {
  const outcome = await runHistory(seed, {}, count === 1)
  events += outcome.events
  if (count === 1) {
    console.log(
      outcome.lines?.join('\n').replaceAll('bba19de61269-99ac54713bb3-300ac9dc-3901-4d39-8d0c-0a3bc73c6dd8', 'C'),
    )
    console.log(outcome.plan)
  }
  if (outcome.violation) {
    const list = failures.get(outcome.violation.promise) ?? []
    list.push(seed)
    failures.set(outcome.violation.promise, list)
    if (list.length <= 2) console.log(seed, outcome.violation.message.slice(0, 2500))
  }
}
const ms = performance.now() - started
console.log(failures)
console.log(
  `${count} histories in ${Math.round(ms)} ms, ${Math.round(ms / count)} ms each, ${events / count} events each`,
)
if (count === 1) {
  // what the log holds
}
