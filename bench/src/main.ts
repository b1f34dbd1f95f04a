/** `npm run bench -- SCENARIO… [options]`; without a scenario it lists them. The tests do not run benchmarks. */
import type { Dataset } from './data/dataset.ts'
import { Report } from './measure/report.ts'
import { openDataset, type Options, readOptions, USAGE } from './options.ts'
import { writeReport } from './report/write.ts'
import { scenarios } from './scenarios/index.ts'

// `exit` runs the listeners that stop the servers.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const options = readOptions(process.argv.slice(2))
const names = options.scenarios.flatMap((name) => (name === 'all' ? Object.keys(scenarios) : [name]))
const unknown = names.filter((name) => name !== 'report' && !(name in scenarios))
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Unknown: ${unknown.join(', ')}\n`)
  console.log(`${USAGE}\nScenarios ("all" runs each at its own sizes):`)
  for (const [name, { about, records }] of Object.entries(scenarios))
    console.log(`  ${name.padEnd(11)} ${about}${records[0] === 0 ? '' : ` [${records.join(', ')}]`}`)
  process.exitCode = unknown.length > 0 ? 2 : 0
} else {
  for (const name of names) {
    if (name === 'report') writeReport()
    else await run(name, options)
  }
}

async function run(name: string, given: Options): Promise<void> {
  const scenario = scenarios[name]
  if (!scenario) return
  for (const records of given.records.length > 0 ? given.records : scenario.records) {
    console.log(`\n## ${name}${records > 0 ? `, ${records} records` : ''}`)
    let data: Dataset | undefined
    const report = new Report(name, records, given.label)
    await scenario.run(given, report, () => (data ??= openDataset(given, records)))
    report.close()
  }
}
