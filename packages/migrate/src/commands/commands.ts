/** The commands of the group `siltstone migrate`, one per kind of source. The CLI loads them from this package. */
import { type CommandTools, invalid, type Space } from 'siltstone/internal'
import { openChromaDirectory } from '../chroma/directory-source.ts'
import { openChromaServer } from '../chroma/server-source.ts'
import { openExport } from '../export-source.ts'
import { openPinecone } from '../pinecone/api-source.ts'
import { openPineconeFiles } from '../pinecone/files-source.ts'
import { type Command, migrate, type MigrateOptions, withMigrateOptions } from './migrate.ts'

export function migrateCommands(tools: CommandTools): Command[] {
  return [
    chromaDirectoryCommand(tools),
    chromaServerCommand(tools),
    pineconeCommand(tools),
    pineconeFilesCommand(tools),
    exportCommand(tools),
  ]
}

interface FromChromaDirectory extends FromChroma {
  space?: Space
}

interface FromChroma extends MigrateOptions {
  fromTenant: string
  fromDatabase: string
}

function withChromaOptions(tools: CommandTools, command: Command): Command {
  return withMigrateOptions(tools, command)
    .option('--from-tenant <name>', 'Chroma’s tenant', 'default_tenant')
    .option('--from-database <name>', 'Chroma’s database', 'default_database')
}

function chromaDirectoryCommand(tools: CommandTools): Command {
  const command = tools.command(
    'chroma-dir <directory> [collections...]',
    'from the files of a Chroma that is not running',
    [
      'migrate chroma-dir ./chroma --data ./data',
      'migrate chroma-dir ./chroma notes --into letters',
      'migrate chroma-dir ./chroma --compare --json',
    ],
  )
  return withChromaOptions(tools, command)
    .addOption(
      new tools.Option('--space <space>', 'distance of collections whose stored configuration cannot be read').choices([
        'cosine',
        'l2',
        'ip',
      ]),
    )
    .action((directory: string, collections: string[], options: FromChromaDirectory) =>
      migrate(tools, options, collections, () =>
        openChromaDirectory(directory, {
          tenant: options.fromTenant,
          database: options.fromDatabase,
          ...(options.space !== undefined && { space: options.space }),
        }),
      ),
    )
}

function chromaServerCommand(tools: CommandTools): Command {
  const command = tools.command('chroma-server <url> [collections...]', 'from a running Chroma server', [
    'migrate chroma-server http://127.0.0.1:8001 --data ./data',
    'migrate chroma-server https://chroma.example.org notes --token-env CHROMA_TOKEN',
    'migrate chroma-server http://127.0.0.1:8001 notes --sync',
  ])
  return withChromaOptions(tools, command)
    .option('--token-env <name>', 'environment variable that holds the token, sent as x-chroma-token and Bearer')
    .action((url: string, collections: string[], options: FromChroma & { tokenEnv?: string }) =>
      migrate(tools, options, collections, ({ env: { clock, random } }) =>
        openChromaServer({
          url,
          clock,
          random,
          tenant: options.fromTenant,
          database: options.fromDatabase,
          ...(options.tokenEnv !== undefined && { headers: tokenHeaders(tools, options.tokenEnv) }),
        }),
      ),
    )
}

function tokenHeaders(tools: CommandTools, name: string): Record<string, string> {
  const token = secretFrom(tools, name, '--token-env')
  return { 'x-chroma-token': token, authorization: `Bearer ${token}` }
}

/** Secrets come from the environment: every user of the machine can read a process's arguments. */
function secretFrom({ environmentVariables }: CommandTools, name: string, option: string): string {
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

function withPineconeOptions(tools: CommandTools, command: Command): Command {
  return withMigrateOptions(tools, command)
    .option('--document-key <key>', 'metadata key that holds the text; it becomes the document (LangChain: text)')
    .option('--sparse-key <key>', 'metadata key that receives sparse vectors', 'sparse_values')
}

function keysOf({ documentKey, sparseKey }: FromPinecone): { documentKey?: string; sparseKey?: string } {
  return { ...(documentKey !== undefined && { documentKey }), ...(sparseKey !== undefined && { sparseKey }) }
}

function pineconeCommand(tools: CommandTools): Command {
  const command = tools.command(
    'pinecone <index> [collections...]',
    'from Pinecone’s API; each namespace is a collection',
    [
      'migrate pinecone movies --document-key text --data ./data',
      'migrate pinecone movies movies.user-7 --into user-7 --api-key-env PINECONE_KEY',
    ],
  )
  return withPineconeOptions(tools, command)
    .option('--api-key-env <name>', 'environment variable that holds the API key', 'PINECONE_API_KEY')
    .option('--control-url <url>', 'URL of the API that describes indexes', 'https://api.pinecone.io')
    .action((index: string, collections: string[], options: FromPinecone & { apiKeyEnv: string; controlUrl: string }) =>
      migrate(tools, options, collections, ({ env: { clock, random } }) =>
        openPinecone({
          index,
          clock,
          random,
          controlUrl: options.controlUrl,
          apiKey: secretFrom(tools, options.apiKeyEnv, '--api-key-env'),
          ...keysOf(options),
        }),
      ),
    )
}

function pineconeFilesCommand(tools: CommandTools): Command {
  const command = tools.command(
    'pinecone-files <directory> [collections...]',
    'from Pinecone’s Parquet files, one directory per namespace',
    [
      'migrate pinecone-files ./movies --document-key text --data ./data',
      'migrate pinecone-files ./movies --space ip --compare',
    ],
  )
  return withPineconeOptions(tools, command)
    .addOption(
      new tools.Option('--space <space>', 'distance: Pinecone’s cosine, euclidean (l2) or dotproduct (ip)')
        .choices(['cosine', 'l2', 'ip'])
        .default('cosine'),
    )
    .action((directory: string, collections: string[], options: FromPinecone & { space: Space }) =>
      migrate(tools, options, collections, () =>
        openPineconeFiles(directory, { space: options.space, ...keysOf(options) }),
      ),
    )
}

function exportCommand(tools: CommandTools): Command {
  const command = tools.command('export <directory>', 'from a directory that "siltstone export" wrote', [
    'migrate export ./notes-export --data ./other',
    'migrate export ./notes-export --into notes-restored',
  ])
  return withMigrateOptions(tools, command).action((directory: string, options: MigrateOptions) =>
    migrate(tools, options, [], () => openExport(directory)),
  )
}
