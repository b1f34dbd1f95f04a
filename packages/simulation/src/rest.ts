/**
 * After all faults have ended: everything must be folded, nothing acknowledged may be missing, and the store must shrink
 * and then stay unchanged.
 */
import {
  Background,
  type Collection,
  collectionType,
  decodeDocument,
  inboxPrefix,
  isSiltstoneError,
  logPrefix,
  parseKey,
} from 'siltstone/internal'
import { markerOp, newMarker } from './draw-operations.ts'
import { hybridLines, hybridSearch } from './hybrid.ts'
import { linesOf, type ModelState } from './log-model.ts'
import { checkMending } from './mending.ts'
import { linesOfAnswer, sameLines } from './reads.ts'
import type { Server } from './server.ts'
import { DATABASE, type Target, TENANT, type World } from './world.ts'

const MINUTE_MS = 60_000
const CALM_WRITES = 4
/** Puts may have taken seconds just before, and sixteen of them may be waited for. */
const CALM_MS = 3 * MINUTE_MS
const HOUR_MS = 60 * MINUTE_MS

/** Ends each process. Requests on their way still take effect. */
export async function quiesce(
  world: World,
  servers: readonly Server[],
  background: readonly Promise<void>[],
): Promise<void> {
  for (let waitedMs = 0; world.open > 0 && waitedMs < HOUR_MS; waitedMs += 1_000) await world.scheduler.sleep(1_000)
  const isSlow = world.open > 0
  world.network.calmDown()
  if (isSlow) await checkAnswered(world)
  await checkWriters(world, servers)
  await Promise.all(servers.map((server) => server.kill()))
  await Promise.all(background)
  while (world.network.underway > 0) await world.scheduler.sleep(1_000)
}

/** What faults kept from its end for an hour ends soon once they are over. */
async function checkAnswered(world: World): Promise<void> {
  world.marks.hit('operations of more than an hour')
  await world.scheduler.sleep(world.plan.stallMs + world.plan.lateMs)
  for (let waitedMs = 0; world.open > 0 && waitedMs < CALM_MS; waitedMs += 1_000) await world.scheduler.sleep(1_000)
  if (world.open > 0) world.fail('rest', `${world.open} operations were never answered`)
}

/** Once faults are over, writers at several servers that compete for one log are all answered within a bounded time. */
async function checkWriters(world: World, servers: readonly Server[]): Promise<void> {
  if (world.violation) return
  // Stalls end, and requests that are late land.
  await world.scheduler.sleep(world.plan.stallMs + world.plan.lateMs)
  const target = world.targets.findLast((one) => !one.deleting && !world.truthOf(one).closed)
  if (!target) return
  const write = async (server: Server) => {
    for (let i = 0; i < CALM_WRITES; i++) {
      const marker = newMarker(world.next())
      try {
        const { version } = await server.useCollection(target, (one) => one.write([markerOp(marker)]))
        world.acknowledged.set(`${target.path} ${marker}`, version)
      } catch (error) {
        if (isSiltstoneError(error, 'unavailable') && error.code === 'back-pressure') return
        world.fail('bounded waiting', `a write without any fault failed: ${String(error)}`)
      }
    }
  }
  const all = Promise.all(servers.map(write))
  const late = world.scheduler.sleep(CALM_MS).then(() => 'late')
  if ((await Promise.race([all, late])) === 'late')
    world.fail('bounded waiting', `${servers.length} writers were not answered ${CALM_MS} ms after the last fault`)
}

export async function checkAtRest(world: World): Promise<void> {
  if (world.violation) return
  // Leases of crashed processes expire, and the clocks are right again.
  await world.scheduler.sleep(30_000)
  const process = world.boot('last')
  process.mortal = false
  process.skewMs = 0
  const engine = await world.openEngine(process)
  const background = new Background(engine, { gatherMs: 10, scheduleMs: MINUTE_MS, visibilityMs: 20_000 })
  await world.scheduler.sleep(90_000)
  for (const target of world.targets) checkFolded(world, target)
  const commits = commitsOf(world)
  const { sent } = world.services.queue
  await world.scheduler.sleep(3 * MINUTE_MS)
  if (commitsOf(world) !== commits) world.fail('rest', 'commits go on without any write')
  if (world.services.queue.sent !== sent || world.services.queue.messages.length > 0)
    world.fail('rest', `wake-ups go on without any write: ${JSON.stringify(world.services.queue.messages)}`)
  await background.close()
  for (const target of world.targets) {
    const truth = world.truthOf(target)
    if (truth.closed || target.deleting) continue
    const collection = await engine.collection(TENANT, DATABASE, target.info.id)
    const answer = await collection.get({
      include: { embeddings: true, documents: true, metadatas: true, uris: true },
    })
    const got = linesOfAnswer(answer)
    if (!sameLines(got, linesOf(truth.state(truth.end))))
      world.fail('the end', `${target.path} holds ${got.join(' ')}, not ${linesOf(truth.state(truth.end)).join(' ')}`)
    if ((await collection.count()) !== got.length) world.fail('the end', `count and get of ${target.path} disagree`)
    await checkSearch(world, collection, truth.state(truth.end))
  }
  checkOutcomes(world)
  if (world.violation) return
  await checkMending(world)
  if (world.violation) return
  // Retention passes, and some hours more, since due work is listed by the hour.
  for (let hour = 0; hour < 4; hour++) {
    await world.scheduler.sleep(HOUR_MS)
    await engine.collectDue()
    for (const target of world.targets) if (hour === 2) await engine.collectGarbage(target.path)
  }
  for (const target of world.targets) checkSmall(world, target)
  await engine.collectCatalogGarbage(HOUR_MS)
  // What was finished by the first is removed by the second.
  await world.scheduler.sleep(2 * HOUR_MS)
  await engine.collectCatalogGarbage(HOUR_MS)
  checkCatalogSmall(world)
  process.crash()
}

async function checkSearch(world: World, collection: Collection, state: ModelState): Promise<void> {
  if (state.dimension === null) return
  const asked = new Float32Array(state.dimension).fill(1)
  const { results } = await collection.search({ searches: [hybridSearch(asked)] })
  const got = (results[0]?.ids ?? []).map((id, i) => `${results[0]?.scores?.[i]} ${id}`)
  const expected = hybridLines(state, asked)
  world.marks.hit('search at rest')
  if (!sameLines(got, expected))
    world.fail('the end', `search in ${collection.info.id} gave ${got.join(', ')}, not ${expected.join(', ')}`)
}

/** Nothing is left of deletions, and of creations that broke off. */
function checkCatalogSmall(world: World): void {
  const { bucket, marks } = world
  for (const key of bucket.keys) {
    if (parseKey(key)?.kind !== 'collection-id') continue
    const { state } = decodeDocument(collectionType, bucket.peek(key)?.body ?? new Uint8Array(), key)
    if (state === 'live') marks.hit('live collection at the end')
    else world.fail('idle catalog', `${key} is left, and is ${state}`)
  }
}

function commitsOf(world: World): number {
  return [...world.truth.collections.values()].reduce(
    (sum, { commits }) => sum + commits.filter(({ published }) => published.manifest.kind !== 'gc').length,
    0,
  )
}

function checkFolded(world: World, target: Target): void {
  const truth = world.truthOf(target)
  if (truth.watermark !== truth.end)
    world.fail('rest', `${target.path} is folded up to ${truth.watermark}, the log ends at ${truth.end}`)
  const waiting = truth.unsequenced(truth.end)
  if (waiting.length > 0 && !truth.closed)
    world.fail('rest', `${waiting.length} deltas of ${target.path} were never sequenced`)
}

function checkOutcomes(world: World): void {
  for (const [key, version] of world.acknowledged) {
    const [path, marker] = key.split(' ') as [string, string]
    const truth = world.truth.of(path)
    const [kind, where] = truth.applied.get(marker)?.split(' ') ?? []
    const number = kind === 'delta' ? truth.mentioned.get(where ?? '') : Number(where)
    if (number !== version)
      world.fail('durability', `write ${marker} of ${path} was acknowledged as ${version} and is not there`)
  }
  for (const [key, why] of world.never) {
    const [path, marker] = key.split(' ') as [string, string]
    const where = world.truth.of(path).applied.get(marker)
    if (where !== undefined)
      world.fail('known failures', `write ${marker} failed (${why}), but stands in ${where} of ${path}`)
  }
}

/** An idle collection keeps its records and its newest history, and nothing else. */
function checkSmall(world: World, target: Target): void {
  const { bucket, truth, plan } = world
  const at = world.truthOf(target)
  const under = (prefix: string) => bucket.keys.filter((key) => key.startsWith(prefix))
  const left = [...under(logPrefix(target.path)), ...under(inboxPrefix(target.path))]
  if (left.length > 0 && at.current)
    world.fail('idle collections', `${left.length} objects are left: ${left.join(' ')}`)
  const snapshot = under(`snapshot/${target.path}/`).length
  const reachable = truth.reachable(at.current).size
  // A commit of the garbage collector leaves at most its own manifests behind.
  const allowed = reachable + 3 + plan.compact.history.newest
  if (snapshot > allowed)
    world.fail('idle collections', `${snapshot} objects under snapshot/${target.path}/, ${reachable} are needed`)
}
