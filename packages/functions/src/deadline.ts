import type { Context } from 'aws-lambda'
import type { Clock } from 'siltstone/internal'

/** Share of the remaining time that is kept to release leases and send the wake-up calls: 60 s of 900 s. */
const KEPT_SHARE = 1 / 15

export interface Deadline {
  readonly signal: AbortSignal
  cancel(): void
}

/** Ends before Lambda's time limit: after 840 s of 900 s. */
export function deadlineOf(context: Pick<Context, 'getRemainingTimeInMillis'>, clock: Clock): Deadline {
  const leftMs = context.getRemainingTimeInMillis()
  const controller = new AbortController()
  const expire = () => controller.abort(new DOMException('the function’s time is over', 'TimeoutError'))
  const cancel = clock.timer(Math.max(0, leftMs * (1 - KEPT_SHARE)), expire)
  return { signal: controller.signal, cancel }
}
