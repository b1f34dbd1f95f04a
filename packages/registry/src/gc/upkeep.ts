/**
 * Retention and garbage collection by a schedule, once a period for all processes together: `registry/upkeep.json` says when the last
 * run began, and who wants to run replaces it by compare-and-swap. A run that ends early is made up for by the next one.
 */
import type { Clock, Logger } from 'siltstone/internal'
import type { DocumentKind, Documents, Envelope } from '../store/documents.ts'
import { UPKEEP_KEY } from '../store/keys.ts'
import type { Collector } from './collector.ts'
import type { Expiry } from './expiry.ts'

interface UpkeepDocument extends Envelope {
  /** Milliseconds since 1970. */
  beganMs: number
}

const upkeepKind: DocumentKind<UpkeepDocument> = {
  format: 'registry-upkeep',
  v: 1,
  wrongField: ({ beganMs }) => (Number.isSafeInteger(beganMs) ? undefined : 'beganMs'),
}

export interface UpkeepOptions {
  documents: Documents
  clock: Clock
  log: Logger
  collector: Collector
  expiry: Expiry
  everyMs: number
  /** Versions that are older are forgotten, if no branch and no tag names them. Default: none. */
  keepMs?: number | undefined
}

/** @returns whether it was time, and no other process was first @throws SiltstoneError as `Expiry.expire` and `Collector.collect` */
export async function runUpkeep(options: UpkeepOptions): Promise<boolean> {
  const { documents, clock, log, collector, expiry, everyMs, keepMs } = options
  const beganMs = clock.nowMs()
  let isMine = false
  await documents.change(UPKEEP_KEY, upkeepKind, (current) => {
    isMine = current === undefined || beganMs - current.beganMs >= everyMs || current.beganMs > beganMs + everyMs
    if (!isMine) return undefined
    const siltstone = current?.siltstone ?? { format: upkeepKind.format, v: upkeepKind.v, writes: [] }
    return { beganMs, siltstone }
  })
  if (!isMine) return false
  const { versions } = keepMs === undefined ? { versions: 0 } : await expiry.expire({ olderThanMs: keepMs })
  const { blobs, bytes, uploads, xorbs, xorbBytes } = await collector.collect()
  log.info('registry_collected', { versions, blobs, bytes, uploads, xorbs, xorbBytes })
  return true
}
