import type { Command } from 'commander'
import { openChromaDirectory } from '../../../migrate/index.ts'
import { command, group } from '../../command.ts'
import { type MigrateOptions, migrate, withMigrateOptions } from './options.ts'

interface FromChroma extends MigrateOptions {
  fromTenant: string
  fromDatabase: string
}

function withChromaPlace(made: Command): Command {
  return made
    .option('--from-tenant <name>', 'Chroma’s tenant', 'default_tenant')
    .option('--from-database <name>', 'Chroma’s database', 'default_database')
}

function chromaDirectoryCommand(): Command {
  const made = command('chroma-dir <directory> [collections...]', 'from the files of a Chroma that is not running', [
    'migrate chroma-dir ./chroma --data ./data',
    'migrate chroma-dir ./chroma notes --into letters',
    'migrate chroma-dir ./chroma --compare --json',
  ])
  return withChromaPlace(withMigrateOptions(made)).action(
    (directory: string, collections: string[], options: FromChroma) =>
      migrate(options, collections, () =>
        openChromaDirectory(directory, { tenant: options.fromTenant, database: options.fromDatabase }),
      ),
  )
}

export function migrateCommand(): Command {
  return group('migrate', 'bring collections over from Chroma, Pinecone or an export', [chromaDirectoryCommand()])
}
