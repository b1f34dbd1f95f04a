/** Checks the state of the store: queue, leases, logs, times, collections. */
import { isSiltstoneError } from '../../errors.ts'
import { emptyManifest } from '../../format/manifest.ts'
import { limitsOf } from '../../log/log-limits.ts'
import { listTail } from '../../log/listing.ts'
import type { Environment } from '../../ports/environment.ts'
import { parseKey, pointerKey } from '../../format/keys.ts'
import { ManifestStore } from '../../snapshot/manifest-store.ts'
import { bytes, count, duration, plural } from '../format.ts'
import { leaseStateOf } from '../../engine/lease-info.ts'
import type { Session } from '../session.ts'
import { type Check, fail, ok, warn } from './check.ts'

const OLD_MESSAGE_MS = 10 * 60_000
/** Two missed heartbeats. */
const STALE_HEARTBEAT_MS = 20_000
const FUTURE_MS = 60_000

export async function checkQueue({ queue }: Environment): Promise<Check[]> {
  const { visible, inFlight, delayed, oldestAgeMs } = await queue.depth()
  const detail = `${count(visible)} waiting, ${count(inFlight)} in flight, ${count(delayed)} delayed`
  const old = visible > 0 && oldestAgeMs !== undefined && oldestAgeMs > OLD_MESSAGE_MS
  const dead = await queue.deadLetters({ maxMessages: 100 })
  return [
    old
      ? warn(
          'queue',
          `${detail}, the oldest for ${duration(oldestAgeMs)}`,
          'No process compacts: run a server, or "siltstone compact".',
        )
      : ok('queue', detail),
    dead.length === 0
      ? ok('dead letters', 'none')
      : warn(
          'dead letters',
          `${plural(dead.length, 'wake-up message')} failed repeatedly`,
          'Nothing is lost: the schedule checks every log. "siltstone verify" finds damaged collections; then "siltstone doctor --redrive" and "siltstone compact" clear them.',
        ),
  ]
}

export async function checkLeases({ leases, clock }: Environment): Promise<Check> {
  const nowMs = clock.nowMs()
  const all = await leases.list()
  const held = all.filter((lease) => leaseStateOf(lease, nowMs) === 'held')
  const stuck = held.filter(({ heartbeatAtMs }) => nowMs - heartbeatAtMs > STALE_HEARTBEAT_MS)
  const [first] = stuck
  if (first)
    return warn(
      'leases',
      `${first.name} is held by ${first.owner}, which sent no heartbeat for ${duration(nowMs - first.heartbeatAtMs)}`,
      `It expires in ${duration(Math.max(0, first.expiresAtMs - nowMs))}; to free it now: siltstone lease force ${first.name}`,
    )
  return ok('leases', `${count(held.length)} held`)
}

export interface LogSize {
  name: string
  path: string
  entries: number
  deltas: number
  bytes: number
}

/** Checks how much log lies above each collection's snapshot. Beyond the limits, writers have to wait. */
export async function checkLogs(session: Session): Promise<Check[]> {
  const limits = limitsOf(session.env.store)
  const sizes: LogSize[] = []
  const checks: Check[] = []
  for (const { name, path } of await session.targets([])) {
    try {
      sizes.push({ name, path, ...(await logSize(session.env, path)) })
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      checks.push(fail(`collection ${name}`, error.message, 'Run "siltstone verify", then "siltstone repair".'))
    }
  }
  for (const { name, entries, deltas, bytes: size } of sizes) {
    const share = Math.max((entries + deltas) / limits.unfoldedObjects, size / limits.unfoldedBytes)
    const detail = `${plural(entries, 'entry', 'entries')} and ${plural(deltas, 'delta')} with ${bytes(size)} not compacted`
    const remedy = `Run "siltstone compact ${name}", and keep a server or the library open, which compacts in the background.`
    if (share >= 1) checks.push(fail(`log of ${name}`, `${detail}: writers have to wait`, remedy))
    else if (share >= 0.5) checks.push(warn(`log of ${name}`, detail, remedy))
  }
  if (checks.length > 0) return checks
  const total = sizes.reduce((sum, { bytes: size }) => sum + size, 0)
  return [ok('logs', `${plural(sizes.length, 'collection')}, ${bytes(total)} not compacted yet`)]
}

async function logSize(env: Environment, path: string): Promise<Pick<LogSize, 'entries' | 'deltas' | 'bytes'>> {
  const manifests = new ManifestStore(env, path)
  const pointer = await manifests.readPointer()
  const manifest = typeof pointer === 'string' ? emptyManifest(path) : await manifests.loadExisting(pointer.manifestKey)
  const { entries, inbox } = await listTail(env.store, path, manifest.watermark, true)
  const folded = new Set(manifest.sequenced.flatMap(({ ulids }) => ulids))
  const fresh = inbox.filter(({ ulid }) => !folded.has(ulid))
  const size = [...entries, ...fresh].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { entries: entries.length, deltas: fresh.length, bytes: size }
}

/** Finds objects from the future: the clock was set back, or another machine's clock is ahead. */
export async function checkTimes(env: Environment): Promise<Check> {
  const nowMs = env.clock.nowMs()
  let ahead: { key: string; byMs: number } | undefined
  for (const root of ['delta/', 'snapshot/']) {
    const page = await env.store.list(root)
    for (const { key, lastModifiedMs } of page.objects) {
      const byMs = lastModifiedMs - nowMs
      if (byMs > FUTURE_MS && byMs > (ahead?.byMs ?? 0) && parseKey(key)) ahead = { key, byMs }
    }
  }
  if (!ahead) return ok('times', 'no object is from the future')
  return warn(
    'times',
    `${ahead.key} is from ${duration(ahead.byMs)} in the future`,
    'A clock was set back or is wrong. Correct it; until then garbage is kept longer.',
  )
}

export async function checkCollections(session: Session): Promise<Check> {
  const infos = await session.collections()
  const { tenant, database } = session.options
  const targets = await session.targets([])
  let published = 0
  for (const { path } of targets) if (await session.env.store.head(pointerKey(path))) published++
  return ok(
    'collections',
    `${count(infos.length)} in ${tenant}/${database}, ${count(targets.length)} in the store, ${count(published)} with a snapshot`,
  )
}
