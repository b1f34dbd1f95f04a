import { type Command, Option } from 'commander'
import type { Space } from '../../../model/collection.ts'
import {
  openChromaDirectory,
  openChromaServer,
  openExport,
  openPinecone,
  openPineconeFiles,
} from '../../../../../migrate/src/index.ts'
import { invalid } from '../../../errors.ts'
import { environmentVariables } from '../../../host/process.ts'
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

function chromaServerCommand(): Command {
  const made = command('chroma-server <url> [collections...]', 'from a Chroma server that is running', [
    'migrate chroma-server http://127.0.0.1:8001 --data ./data',
    'migrate chroma-server https://chroma.example.org notes --token-env CHROMA_TOKEN',
    'migrate chroma-server http://127.0.0.1:8001 notes --sync',
  ])
  return withChromaPlace(withMigrateOptions(made))
    .option('--token-env <name>', 'the environment variable that holds the token, sent as x-chroma-token and Bearer')
    .action((url: string, collections: string[], options: FromChroma & { tokenEnv?: string }) =>
      migrate(options, collections, ({ env: { clock, random } }) =>
        openChromaServer({
          url,
          clock,
          random,
          tenant: options.fromTenant,
          database: options.fromDatabase,
          ...(options.tokenEnv !== undefined && { headers: tokenHeaders(options.tokenEnv) }),
        }),
      ),
    )
}

function tokenHeaders(name: string): Record<string, string> {
  const token = secretFrom(name, '--token-env')
  return { 'x-chroma-token': token, authorization: `Bearer ${token}` }
}

/** Secrets come by the environment: arguments are seen by everybody on the machine. */
function secretFrom(name: string, option: string): string {
  const secret = environmentVariables()[name]
  if (secret !== undefined && secret !== '') return secret
  throw invalid('secret-missing', `the environment variable ${name} is not set; put the secret there`, {
    field: option,
  })
}

interface FromPinecone extends MigrateOptions {
  documentKey?: string
  sparseKey?: string
}

function withPineconeOptions(made: Command): Command {
  return withMigrateOptions(made)
    .option('--document-key <key>', 'the metadata that holds the text; it becomes the document (LangChain: text)')
    .option('--sparse-key <key>', 'where sparse vectors go among the metadata', 'sparse_values')
}

function keysOf({ documentKey, sparseKey }: FromPinecone): { documentKey?: string; sparseKey?: string } {
  return { ...(documentKey !== undefined && { documentKey }), ...(sparseKey !== undefined && { sparseKey }) }
}

function pineconeCommand(): Command {
  const made = command('pinecone <index> [collections...]', 'from Pinecone’s API; each namespace is a collection', [
    'migrate pinecone movies --document-key text --data ./data',
    'migrate pinecone movies movies.user-7 --into user-7 --api-key-env PINECONE_KEY',
  ])
  return withPineconeOptions(made)
    .option('--api-key-env <name>', 'the environment variable that holds the API key', 'PINECONE_API_KEY')
    .option('--control-url <url>', 'where indexes are described', 'https://api.pinecone.io')
    .action((index: string, collections: string[], options: FromPinecone & { apiKeyEnv: string; controlUrl: string }) =>
      migrate(options, collections, ({ env: { clock, random } }) =>
        openPinecone({
          index,
          clock,
          random,
          controlUrl: options.controlUrl,
          apiKey: secretFrom(options.apiKeyEnv, '--api-key-env'),
          ...keysOf(options),
        }),
      ),
    )
}

function pineconeFilesCommand(): Command {
  const made = command(
    'pinecone-files <directory> [collections...]',
    'from Pinecone’s Parquet files, one directory a namespace',
    [
      'migrate pinecone-files ./movies --document-key text --data ./data',
      'migrate pinecone-files ./movies --space ip --compare',
    ],
  )
  return withPineconeOptions(made)
    .addOption(
      new Option('--space <space>', 'how vectors are compared: Pinecone’s cosine, euclidean (l2) or dotproduct (ip)')
        .choices(['cosine', 'l2', 'ip'])
        .default('cosine'),
    )
    .action((directory: string, collections: string[], options: FromPinecone & { space: Space }) =>
      migrate(options, collections, () => openPineconeFiles(directory, { space: options.space, ...keysOf(options) })),
    )
}

function exportedCommand(): Command {
  const made = command('export <directory>', 'from what "siltstone export" wrote', [
    'migrate export ./notes-export --data ./other',
    'migrate export ./notes-export --into notes-restored',
  ])
  return withMigrateOptions(made).action((directory: string, options: MigrateOptions) =>
    migrate(options, [], () => openExport(directory)),
  )
}

export function migrateCommand(): Command {
  return group('migrate', 'bring collections over from Chroma, Pinecone or an export', [
    chromaDirectoryCommand(),
    chromaServerCommand(),
    pineconeCommand(),
    pineconeFilesCommand(),
    exportedCommand(),
  ])
}
