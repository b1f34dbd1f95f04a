/**
 * A bare producer: drops one delta into a collection's inbox. It needs PutObject on `delta/<path>/inbox/` and
 * SendMessage, nothing else, and it reads nothing.
 *
 * A delta keeps its ULID: a retry uses the same one, so a delta is never applied twice. Retries end after 30 minutes,
 * long before the garbage collector could have removed a folded delta and made its name free again; if the outcome is
 * still open then, it is `outcome-unknown`. An acknowledged delta is durable: it will be applied or refused, once.
 */
import { invalid, isPassing, isSiltstoneError, outcomeUnknown } from '../errors.ts'
import { encodeDelta } from '../format/delta.ts'
import { inboxKey } from '../format/keys.ts'
import type { Environment } from '../ports/environment.ts'
import { retry } from '../ports/retry.ts'
import type { RecordOp } from '../model/record.ts'
import { checkRecordLimits, defaultRecordLimits, type RecordLimits } from '../records/record-limits.ts'
import { encodeWakeUp } from './wake-up-message.ts'

const RETRY_WITHIN_MS = 30 * 60_000

export interface Produced {
  key: string
  sizeBytes: number
  records: number
}

/**
 * @throws SiltstoneError `invalid` (delta-too-large, record-too-large), `unavailable` (nothing was written), `unknown` (outcome-unknown)
 */
export async function produce(
  env: Pick<Environment, 'store' | 'queue' | 'clock' | 'ids' | 'random' | 'log'>,
  path: string,
  delta: { records: readonly RecordOp[] } | { bytes: Uint8Array; records: number },
  options: { maxBytes: number; retryWithinMs?: number; recordLimits?: RecordLimits },
): Promise<Produced> {
  if (!('bytes' in delta)) await checkRecordLimits(delta.records, options.recordLimits ?? defaultRecordLimits)
  const bytes =
    'bytes' in delta
      ? delta.bytes
      : encodeDelta({ collection: path, records: [...delta.records], createdAtMs: env.clock.nowMs() })
  const records = 'bytes' in delta ? delta.records : delta.records.length
  if (bytes.length > options.maxBytes)
    throw invalid(
      'delta-too-large',
      `the delta has ${bytes.length} bytes; at most ${options.maxBytes} are allowed. Split it into smaller ones.`,
      { field: 'records' },
    )
  const key = inboxKey(path, env.ids.ulid())
  const began = env.clock.monotonicMs()
  const withinMs = Math.min(options.retryWithinMs ?? RETRY_WITHIN_MS, RETRY_WITHIN_MS)
  let maybeWritten = false
  try {
    // `exists` means an earlier attempt of ours: no other process can choose this name.
    await retry(() => env.store.put(key, bytes, { ifAbsent: true, contentType: 'application/vnd.apache.arrow.file' }), {
      attempts: Number.POSITIVE_INFINITY,
      baseMs: 50,
      maxMs: 30_000,
      clock: env.clock,
      random: env.random,
      when: (error) => {
        maybeWritten ||= isSiltstoneError(error, 'unknown')
        return isPassing(error) && env.clock.monotonicMs() - began < withinMs
      },
    })
  } catch (cause) {
    // A refusal, such as of a full disk, does not settle an earlier attempt.
    // step: refusal-leaves-the-delta-open
    if (!maybeWritten && !isPassing(cause)) throw cause
    throw outcomeUnknown('outcome-unknown', `it is not known whether ${key} was written`, { key, cause })
  }
  try {
    await env.queue.send(
      encodeWakeUp({
        collection: path,
        reason: 'delta',
        deltaKey: key,
        itemCount: records,
        timestampMs: env.clock.nowMs(),
      }),
    )
  } catch (error) {
    // The delta is durable and will be seen. Only its compaction is delayed, until the schedule finds it.
    env.log.warn('wake_up_failed', { key, error: String(error) })
  }
  return { key, sizeBytes: bytes.length, records }
}
