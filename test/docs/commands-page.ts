/**
 * The page of all commands, generated from their help: `node test/docs/commands-page.ts` writes it, a test compares it.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadCommandLine } from 'siltstone/internal'

type Command = Awaited<ReturnType<typeof loadCommandLine>>

export const COMMANDS_PAGE = fileURLToPath(new URL('../../docs/reference/commands.md', import.meta.url))

const HEAD = `# Commands

Every command with its options, as \`siltstone COMMAND --help\` shows them. Exit codes: 0 done, 1 failed, 2 wrong usage or
input, 3 not found, 4 conflict, 5 unavailable, 6 damaged data.
`

const FOOT = '*Checked by `test/docs/pages.test.ts`.*\n'

function* leaves(command: Command): Generator<Command> {
  if (command.commands.length === 0) yield command
  for (const child of command.commands) yield* leaves(child)
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 })
  command.outputHelp()
  return text.trim()
}

export async function commandsPage(): Promise<string> {
  const program = await loadCommandLine()
  const sections = [...leaves(program)].map(
    (command) => `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
  )
  return [HEAD, ...sections, FOOT].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(COMMANDS_PAGE, await commandsPage())
