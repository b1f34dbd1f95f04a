/** `npm run bench -- SCENARIO… [options]`; without a scenario it lists them. Nothing here runs in the tests. */
import { Report } from './measure/report.ts'
import { readOptions, USAGE } from './options.ts'
import { scenarios } from './scenarios/index.ts'

const options = readOptions(process.argv.slice(2))
const unknown = options.scenarios.filter((name) => !(name in scenarios))
if (options.scenarios.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Unknown: ${unknown.join(', ')}\n`)
  console.log(`${USAGE}\nScenarios:`)
  for (const [name, { about }] of Object.entries(scenarios)) console.log(`  ${name.padEnd(12)} ${about}`)
  process.exitCode = unknown.length > 0 ? 2 : 0
}
for (const name of unknown.length > 0 ? [] : options.scenarios) {
  const report = new Report(name)
  await scenarios[name]?.run(options, report)
  report.close()
}
