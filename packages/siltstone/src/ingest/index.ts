export * from './documents.ts'
export * from './ingest.ts'
export * from './passages.ts'
