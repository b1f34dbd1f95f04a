/** Contract suites of the ports, for vitest. Not published. */
export { type BlobDeviation, describeBlobStore } from '../ports/blob-store.contract.ts'
export { describeLeases } from '../ports/lease.contract.ts'
export { describeObjectStore, type Deviation } from '../ports/object-store.contract.ts'
export { describeQueueInRealTime } from '../ports/queue.contract.ts'
