import { Command } from 'commander'

/**
 * A command whose help ends with examples.
 * @param usage its name and arguments: `query <collection>`
 */
export function command(usage: string, description: string, examples: readonly string[]): Command {
  const [name = '', ...parameters] = usage.split(' ')
  const result = new Command(name)
  if (parameters.length > 0) result.arguments(parameters.join(' '))
  return result
    .description(description)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ siltstone ${example}\n`).join('')}`)
}

/** A command that consists of subcommands. */
export function group(name: string, description: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(description)
  for (const child of commands) parent.addCommand(child)
  return parent
}
