/**
 * The lease port (a DynamoDB item `LOCK#<name>` on AWS, a row in SQLite on a directory). A lease only saves work:
 * safety must not depend on it, because its holder can stall past its end.
 */
export interface LeaseState {
  name: string
  owner: string | undefined
  /** By the driver's clock. */
  expiresAtMs: number
  heartbeatAtMs: number
  /** Grows with each acquisition by another owner and is never reset. */
  fencing: number
  /** Another process found the lease busy: there is work that the holder may not have seen. */
  dirty: boolean
}

export type AcquireResult = { status: 'acquired'; fencing: number } | { status: 'busy'; state: LeaseState }

export interface Leases {
  /** Takes the lease if it is free, expired (`expires < now`) or already this owner's, and then clears `dirty`. */
  acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult>
  /** Extends the lease. False when it is lost (expired and taken, or forced): the holder must stop then. */
  heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean>
  /**
   * Gives the lease back. `dirty`: it was marked and so is not released; the mark is now cleared. The holder looks for
   * work once more, then releases again.
   */
  release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'>
  /** Sets `dirty` on a held lease. False when the lease is free: the caller should then try to acquire it. */
  markDirty(name: string): Promise<boolean>
  inspect(name: string): Promise<LeaseState | undefined>
  list(): Promise<LeaseState[]>
  /** For operators in an emergency: frees the lease, no matter who holds it. Returns its former state. */
  force(name: string): Promise<LeaseState | undefined>
  close(): Promise<void>
}
