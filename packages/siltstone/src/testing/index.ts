/** Stores in memory, fakes and fixtures for the tests of this repository. Not published. */
export { testApi } from '../chroma/testing/api.ts'
export { addStep, jsonError, lost, s3Error } from '../drivers/aws/testing/middleware.ts'
export { fileHost, type FileHost, type HostTraits } from '../drivers/fetch/testing/file-host.ts'
export { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
export { MemoryLeases } from '../drivers/memory/memory-leases.ts'
export { MemoryTarget } from '../publish/testing.ts'
export { collectionRequest } from './operations.ts'
export {
  Crash,
  type Fault,
  faultyObjectStore,
  type FaultyObjectStore,
  type FaultyOptions,
  randomFaults,
} from './faulty-object-store.ts'
