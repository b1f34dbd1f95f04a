/**
 * The lease port (a DynamoDB item `LOCK#<name>` on AWS, a row in SQLite on a directory). A lease only saves work:
 * nothing may depend on it for safety, because its holder can stall past its end.
 */
export interface LeaseState {
  name: string
  owner: string | undefined
  /** By the driver's clock. */
  expiresAtMs: number
  heartbeatAtMs: number
  /** Grows with every acquisition by another owner, for ever; never reset. */
  fencing: number
  /** Somebody found the lease busy: there is work that the holder may not have seen. */
  dirty: boolean
}

export type AcquireResult = { status: 'acquired'; fencing: number } | { status: 'busy'; state: LeaseState }

export interface Leases {
  /** Takes the lease if it is free or expired (`expires < now`) or already this owner's. Clears `dirty` when it takes it. */
  acquire(name: string, owner: string, ttlMs: number): Promise<AcquireResult>
  /** Extends it; false when it is lost (expired and taken, or forced away). The holder must stop then. */
  heartbeat(name: string, owner: string, fencing: number, ttlMs: number): Promise<boolean>
  /** Gives it back. `dirty`: it was not released because the mark was set; the mark is now cleared: look again, then release again. */
  release(name: string, owner: string, fencing: number): Promise<'released' | 'dirty' | 'lost'>
  /** Sets `dirty` on a held lease. False when nobody holds it (then the caller should try to acquire again). */
  markDirty(name: string): Promise<boolean>
  inspect(name: string): Promise<LeaseState | undefined>
  list(): Promise<LeaseState[]>
  /** An operator's emergency exit: frees the lease whoever holds it. Returns what it was. */
  force(name: string): Promise<LeaseState | undefined>
  close(): Promise<void>
}
