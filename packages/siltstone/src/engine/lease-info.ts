import type { LeaseInfo } from '../model/maintenance.ts'
import type { LeaseState } from '../ports/lease.ts'

export function leaseStateOf({ owner, expiresAtMs }: LeaseState, nowMs: number): LeaseInfo['state'] {
  if (owner === undefined) return 'free'
  return expiresAtMs < nowMs ? 'expired' : 'held'
}

export function leaseInfo(lease: LeaseState, nowMs: number): LeaseInfo {
  const { name, owner, heartbeatAtMs, expiresAtMs, fencing, dirty } = lease
  return {
    name,
    state: leaseStateOf(lease, nowMs),
    owner: owner ?? null,
    heartbeatAtMs,
    expiresAtMs,
    fencing,
    dirty,
  }
}
