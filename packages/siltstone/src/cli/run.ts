/** Parses the arguments, runs one command, prints its error and returns the exit code. */
import { Command, CommanderError } from 'commander'
import { endWhenOutputCloses, writeError, writeOut } from '../host/process.ts'
import { isSiltstoneError } from '../errors.ts'
import { VERSION } from '../version.ts'
import { commands } from './commands/all.ts'
import { loadMigrateCommands } from './commands/migrate.ts'
import { loadObjectsCommands } from './commands/objects.ts'
import { loadRegistryCommands } from './commands/registry.ts'
import { describeError, errorText, EXIT_CODES } from './errors.ts'

export function buildProgram(): Command {
  const program = new Command('siltstone')
    .description('A vector store that lives in a bucket, behind Chroma’s API.')
    .version(VERSION, '-v, --version')
    .helpOption('-h, --help', 'show help')
    .showSuggestionAfterError()
    .addHelpText('after', `\n${EXIT_CODES}\n\nStart with: siltstone demo`)
  for (const make of commands) program.addCommand(make())
  prepare(program)
  return program
}

/** Makes every command throw instead of ending the process, so that all failures are reported alike. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void writeOut(text),
    writeErr: (text) => void writeError(text),
    // `run` prints errors.
    outputError: () => {},
  })
  for (const child of command.commands) {
    child.helpOption('-h, --help', 'show help')
    prepare(child)
  }
}

/** The command that runs, or whose help is shown. The options before it, `--help` and `--version`, take no values. */
function commandName(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'))
  return first === 'help' ? second : first
}

/** Groups whose commands come from packages that users install when they need them. */
const LOADED: Readonly<Record<string, () => Promise<Command[]>>> = {
  migrate: loadMigrateCommands,
  objects: loadObjectsCommands,
  registry: loadRegistryCommands,
}

async function addCommands(program: Command, name: string): Promise<void> {
  const group = program.commands.find((command) => command.name() === name)
  for (const command of (await LOADED[name]?.()) ?? []) group?.addCommand(command)
  prepare(program)
}

/** The whole command line, with the commands of the other packages. @throws SiltstoneError `unsupported` (package-missing) */
export async function loadCommandLine(): Promise<Command> {
  const program = buildProgram()
  for (const name of Object.keys(LOADED)) await addCommands(program, name)
  return program
}

/** Commands that describe all others: as many as are installed. */
const DESCRIBING = ['completion', 'man']

async function addInstalledCommands(program: Command): Promise<void> {
  for (const name of Object.keys(LOADED)) {
    try {
      await addCommands(program, name)
    } catch (error) {
      if (!isSiltstoneError(error) || error.code !== 'package-missing') throw error
    }
  }
}

/**
 * @param args without the program's name
 * @returns the exit code; undefined when the command has set it
 */
export async function run(args: readonly string[]): Promise<number | undefined> {
  endWhenOutputCloses()
  try {
    const program = buildProgram()
    const name = commandName(args) ?? ''
    if (name in LOADED) await addCommands(program, name)
    if (DESCRIBING.includes(name)) await addInstalledCommands(program)
    await program.parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // Commander has shown the help because a subcommand is missing.
    if (error instanceof CommanderError && error.code === 'commander.help') return 2
    await writeError(errorText(error, { json: args.includes('--json'), debug: args.includes('--debug') }))
    return describeError(error).exitCode
  }
}
