/**
 * Voids sequenced deltas that vanished from the inbox, or were changed in it, after an entry sequenced them.
 *
 * The writer cannot do it: it appends to the state after the last entry, and no state can be computed past a mention
 * whose delta is gone. So this is an append of its own. It reads the pointer and every entry above the watermark, and
 * creates the next number if absent. The entry holds nothing but the keys, so it depends on no state.
 *
 * Failure cases:
 * - Another process took the number: everything is read again and the next number is tried.
 * - No clear answer: the same. An earlier attempt may then take effect later, but only at a number that no other entry
 *   has taken, and voiding a key twice is harmless.
 * - The entry was put so late that its number had been folded and collected: it is a stray below the watermark, which
 *   every reader ignores, and the next look shows whether anything is still to be voided.
 */
import { corrupt, isPassing, outcomeUnknown } from '../errors.ts'
import { encodeEntry } from '../format/entry.ts'
import { logEntryKey } from '../format/keys.ts'
import { emptyManifest } from '../format/manifest.ts'
import type { LogLimits } from '../log/log-limits.ts'
import type { Environment } from '../ports/environment.ts'
import { fullJitterMs } from '../ports/retry.ts'
import { ManifestStore } from '../snapshot/manifest-store.ts'
import { type LogFindings, type VanishedDelta, verifyLog } from './verify-log.ts'
import { Findings } from './verify-report.ts'

const ATTEMPTS = 60

export interface VoidOptions {
  /** Name of the writer of the entry. */
  name: string
  limits: Pick<LogLimits, 'deltaBytes'>
  dryRun: boolean
}

/**
 * @returns what was voided (with `dryRun`: what would be voided); empty when nothing vanished
 * @throws SiltstoneError `corrupt` (log-broken) when entries are missing or damaged, `unknown` when the store never
 *   gives a clear answer
 */
export async function voidVanished(env: Environment, path: string, options: VoidOptions): Promise<VanishedDelta[]> {
  const voided = new Map<string, VanishedDelta>()
  let failure: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const log = await readLog(env, path, options)
    if (log.vanished.length === 0) return [...voided.values()]
    requireWhole(path, log)
    for (const delta of log.vanished) voided.set(delta.key, delta)
    if (options.dryRun) return [...voided.values()]
    const number = log.end + 1
    const bytes = encodeEntry({
      id: env.ids.ulid(),
      number,
      collection: path,
      createdAtMs: env.clock.nowMs(),
      writer: options.name,
      sequenced: [],
      records: [],
      control: { kind: 'void', keys: log.vanished.map(({ key }) => key) },
    })
    try {
      await env.store.put(logEntryKey(path, number), bytes, {
        ifAbsent: true,
        contentType: 'application/vnd.apache.arrow.file',
      })
    } catch (error) {
      if (!isPassing(error)) throw error
      failure = error
      await env.clock.sleep(fullJitterMs(attempt + 1, { baseMs: 25, maxMs: 2_000, random: env.random }))
    }
  }
  throw outcomeUnknown('outcome-unknown', `the deltas of ${path} could not be voided in ${ATTEMPTS} attempts`, {
    cause: failure,
  })
}

async function readLog(env: Environment, path: string, options: VoidOptions): Promise<LogFindings> {
  const manifests = new ManifestStore(env, path)
  const current = await manifests.current()
  const manifest = current === 'none' ? emptyManifest(path) : current.manifest
  return verifyLog(env, manifest, { deep: false, deltaBytes: options.limits.deltaBytes }, new Findings())
}

function requireWhole(path: string, log: LogFindings): void {
  const [gap] = log.missing
  const broken = gap?.first ?? log.damaged[0]
  if (broken === undefined) return
  const key = logEntryKey(path, broken)
  throw corrupt('log-broken', `${key} is ${gap ? 'missing' : 'damaged'}: restore it before the log can be repaired`, {
    key,
  })
}
