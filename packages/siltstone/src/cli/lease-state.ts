import type { LeaseState } from '../platform/lease.ts'

export function stateOf({ owner, expiresAtMs }: LeaseState, nowMs: number): 'free' | 'held' | 'expired' {
  if (owner === undefined) return 'free'
  return expiresAtMs < nowMs ? 'expired' : 'held'
}
