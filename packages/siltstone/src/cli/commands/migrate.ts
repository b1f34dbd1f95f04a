/**
 * `siltstone migrate`: this module declares the group; the commands come from `@siltstone/migrate`, which users install
 * when they need it. The package receives the tools to build commands as an argument, so it imports neither the modules
 * nor the libraries of the CLI.
 */
import { type Command, Option } from 'commander'
import { PRIVATE_FOLDER } from '../../drivers/directory/directory-object-store.ts'
import { importOptional } from '../../host/optional-package.ts'
import { environmentVariables, setExitCode } from '../../host/process.ts'
import { limits, RECORD_LIMITS, wholeNumber } from '../arguments.ts'
import { command, group } from '../command.ts'
import { count, duration, plural } from '../format.ts'
import { Session, withEmbedders, withStoreOptions } from '../session.ts'

const commandTools = {
  command,
  Option,
  withEmbedders,
  withStoreOptions,
  wholeNumber,
  /** Parses `name=number` of a bound within a record. */
  recordLimits: limits(RECORD_LIMITS),
  useSession: (...parameters: Parameters<typeof Session.use>) => Session.use(...parameters),
  environmentVariables,
  setExitCode,
  format: { count, duration, plural },
  /** Folder of a directory store that holds files beside the objects. */
  privateFolder: PRIVATE_FOLDER,
}

/** The tools with which a package builds commands for this CLI. */
export type CommandTools = typeof commandTools

export function migrateCommand(): Command {
  return group('migrate', 'bring collections over from Chroma, Pinecone or an export', [])
}

/** @throws SiltstoneError `unsupported` (package-missing, package-broken) */
export async function loadMigrateCommands(): Promise<Command[]> {
  const { migrateCommands } = (await importOptional('@siltstone/migrate', '"siltstone migrate"')) as {
    migrateCommands: (tools: CommandTools) => Command[]
  }
  return migrateCommands(commandTools)
}
