export { type Readable, READING_CHECKS, type ReadingCheck, type ReadingWorld } from './reading-checks.ts'
export { records, type WorldRecord } from './reading-world.ts'
