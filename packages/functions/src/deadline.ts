import type { Context } from 'aws-lambda'
import type { Clock } from 'siltstone/internal'

/** Of the time that is left: what is kept for giving back leases and sending the call that continues. 60 s of 900 s. */
const KEPT_SHARE = 1 / 15

export interface Deadline {
  readonly signal: AbortSignal
  cancel(): void
}

/** Ends before Lambda does: 840 s of 900 s. */
export function deadlineOf(context: Pick<Context, 'getRemainingTimeInMillis'>, clock: Clock): Deadline {
  const leftMs = context.getRemainingTimeInMillis()
  const controller = new AbortController()
  const expire = () => controller.abort(new DOMException('the function’s time is over', 'TimeoutError'))
  const cancel = clock.timer(Math.max(0, leftMs * (1 - KEPT_SHARE)), expire)
  return { signal: controller.signal, cancel }
}
