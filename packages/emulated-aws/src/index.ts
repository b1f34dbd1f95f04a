/** The emulated AWS services that tests run against, and temporary resources in them. Not published. */
export { openBucket, parts, type TestBucket } from './bucket.ts'
export { openQueue, type TestQueue } from './queue.ts'
export { openTable, type TestTable } from './table.ts'
export { freshName, type Target, targets, variablesOf } from './targets.ts'
export { CREDENTIALS, definitions, folder, install, type RunningServer, start } from './servers.ts'
