export {
  runMigration,
  type CollectionReport,
  type MigrationMode,
  type MigrationResult,
  type RunOptions,
} from './run.ts'
export type { MigrationSource, SourceCollection, SourceReader, SourceRecord, SourcePage } from './types.ts'
export { openChromaDirectory } from './chroma/directory-source.ts'
export { type ChromaServerOptions, openChromaServer } from './chroma/server-source.ts'
export { openPinecone, type PineconeOptions } from './pinecone/api-source.ts'
export { openPineconeFiles, type PineconeFilesOptions } from './pinecone/files-source.ts'
export { openExport } from './export-source.ts'
export { migrateCommands } from './commands/commands.ts'
