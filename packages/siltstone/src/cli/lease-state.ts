import type { LeaseState } from '../ports/lease.ts'

export function stateOf({ owner, expiresAtMs }: LeaseState, nowMs: number): 'free' | 'held' | 'expired' {
  if (owner === undefined) return 'free'
  return expiresAtMs < nowMs ? 'expired' : 'held'
}
