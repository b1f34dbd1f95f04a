export { runMigration, type CollectionReport, type MigrationMode, type RunOptions } from './run.ts'
export type { MigrationSource, SourceCollection, SourceReader, SourceRecord, SourcePage } from './types.ts'
export { openChromaDirectory } from './chroma/directory-source.ts'
export { type ChromaServerOptions, openChromaServer } from './chroma/server-source.ts'
