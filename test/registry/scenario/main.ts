/**
 * `node test/registry/scenario/main.ts [--processes 1,4] [--place s3://…]`: the registry's contract from outside, with 322 points in
 * the groups in which graders of the contract weigh it. Each run has a store of its own and that many processes on it; requests go to
 * them in turn, and what one acknowledges has to be there for all. Prints the points by group, and ends with "N passed, N failed".
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fakeService } from '@siltstone/registry/testing'
import { serveRegistry, type ServedProcess } from '../served.ts'
import { Asker } from './asker.ts'
import { deleteSome, findByPattern, readAll, setUp, uploadAll } from './groups.ts'
import { Points } from './points.ts'
import { askCosts, askLineage, checkLicences, downloadFiles, rateAll, showInConsole } from './trust-groups.ts'
import { codeRoutes, hubRoutes } from './world.ts'

const TOTAL = 322
const GROUPS = [
  setUp,
  uploadAll,
  rateAll,
  findByPattern,
  readAll,
  downloadFiles,
  askCosts,
  checkLicences,
  askLineage,
  showInConsole,
  deleteSome,
]
const { values } = parseArgs({
  options: { processes: { type: 'string', default: '1,4' }, place: { type: 'string', default: '' } },
})
const say = (text: string) => void process.stdout.write(`${text}\n`)

let passed = 0
let failed = 0
for (const count of values.processes.split(',').map(Number)) {
  const points = await runWith(count)
  let won = 0
  let all = 0
  say(`\n${count === 1 ? 'one process' : `${count} processes`} on one store`)
  for (const [group, { won: of, all: each }] of points.groups) {
    say(`  ${`${of}/${each}`.padStart(8)}  ${group}`)
    won += of
    all += each
  }
  say(`  ${`${won}/${TOTAL}`.padStart(8)}  in all`)
  for (const text of points.missed) say(`FAIL ${text}`)
  if (all !== TOTAL) say(`FAIL the scenario gave ${all} points instead of ${TOTAL}: it did not come to its end`)
  passed += won
  failed += TOTAL - won
}
say(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runWith(count: number): Promise<Points> {
  const points = new Points()
  const folder = await mkdtemp(join(tmpdir(), 'siltstone-registry-'))
  const hub = await fakeService(hubRoutes())
  const github = await fakeService(codeRoutes())
  const processes: ServedProcess[] = []
  try {
    // The first one makes the store.
    for (let n = 0; n < count; n++) {
      processes.push(await serveRegistry(values.place || join(folder, 'data'), { hub: hub.url, github: github.url }))
    }
    const asker = new Asker(points, processes, hub)
    for (const group of GROUPS) await group(asker)
    for (const each of processes.splice(0)) await each.stop()
  } catch (error) {
    points.missed.push(`the run ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    for (const each of processes) await each.kill()
    await hub.close()
    await github.close()
    await rm(folder, { recursive: true, force: true })
  }
  return points
}
