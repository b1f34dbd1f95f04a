import type { Command } from 'commander'
import { backupCommand } from './backup.ts'
import { collectionsCommand } from './collections.ts'
import { compactCommand } from './compact.ts'
import { completionCommand } from './completion.ts'
import { configCommand } from './config.ts'
import { costCommand } from './cost.ts'
import { demoCommand } from './demo/command.ts'
import { doctorCommand } from './doctor.ts'
import { embeddingsCommand } from './embeddings.ts'
import { exportCommand } from './export.ts'
import { fieldsCommand } from './fields.ts'
import { gcCommand } from './gc.ts'
import { ingestCommand } from './ingest.ts'
import { leaseCommand } from './lease.ts'
import { manCommand } from './man.ts'
import { mcpCommand } from './mcp.ts'
import { migrateCommand } from './migrate.ts'
import { objectsCommand } from './objects.ts'
import { registryCommand } from './registry.ts'
import { produceCommand } from './produce.ts'
import { proxyCommand } from './proxy.ts'
import { getCommand, queryCommand } from './query.ts'
import { searchCommand } from './search.ts'
import { publishCommand } from './publish.ts'
import { recallCommand } from './recall.ts'
import { repairCommand } from './repair.ts'
import { serveCommand } from './serve.ts'
import { snapshotsCommand } from './snapshots.ts'
import { verifyCommand } from './verify.ts'

/** In the order of the help. */
export const commands: readonly (() => Command)[] = [
  demoCommand,
  serveCommand,
  mcpCommand,
  ingestCommand,
  produceCommand,
  migrateCommand,
  objectsCommand,
  registryCommand,
  exportCommand,
  publishCommand,
  backupCommand,
  queryCommand,
  searchCommand,
  getCommand,
  fieldsCommand,
  recallCommand,
  embeddingsCommand,
  collectionsCommand,
  snapshotsCommand,
  compactCommand,
  gcCommand,
  verifyCommand,
  repairCommand,
  doctorCommand,
  configCommand,
  costCommand,
  proxyCommand,
  leaseCommand,
  completionCommand,
  manCommand,
]
