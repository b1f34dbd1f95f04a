import type { Context } from 'aws-lambda'
import type { Clock, Deadline } from 'siltstone/internal'

/** Share of the remaining time that is kept to release leases and send the wake-up calls: 60 s of 900 s. */
const KEPT_SHARE = 1 / 15

export interface InvocationDeadline extends Deadline {
  /** Aborted at the deadline. */
  readonly signal: AbortSignal
  cancel(): void
}

/** Ends before Lambda does: 840 s of 900 s. To be called when the invocation begins. */
export function deadlineOf(context: Pick<Context, 'getRemainingTimeInMillis'>, clock: Clock): InvocationDeadline {
  const lengthMs = Math.max(0, context.getRemainingTimeInMillis() * (1 - KEPT_SHARE))
  const controller = new AbortController()
  const expire = () => controller.abort(new DOMException('the function’s time is over', 'TimeoutError'))
  const endsAtMs = clock.monotonicMs() + lengthMs
  if (lengthMs === 0) expire()
  const cancel = clock.timer(lengthMs, expire)
  return { signal: controller.signal, endsAtMs, lengthMs, cancel }
}
