import { Command } from 'commander'

/**
 * A command with its description and one or more examples under its help.
 * @param usage its name and arguments: `query <collection>`
 */
export function command(usage: string, description: string, examples: readonly string[]): Command {
  const [name = '', ...parameters] = usage.split(' ')
  const made = new Command(name)
  if (parameters.length > 0) made.arguments(parameters.join(' '))
  return made
    .description(description)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ siltstone ${example}\n`).join('')}`)
}

/** A command that only holds others. */
export function group(name: string, description: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(description)
  for (const child of commands) parent.addCommand(child)
  return parent
}
