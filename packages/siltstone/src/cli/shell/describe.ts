/** The commands with their options as plain data, from which completions and manual pages are made. */
import type { EventEmitter } from 'node:events'
import type { Command } from 'commander'

export interface CommandNode {
  /** `['collections', 'list']`; empty for the program itself. */
  path: readonly string[]
  description: string
  /** Its arguments as the usage shows them: `<collection> [files...]`. */
  usage: string
  options: OptionNode[]
  commands: CommandNode[]
  /** Command lines, such as `siltstone serve`. */
  examples: string[]
  /** Paragraphs of its help behind the options. */
  notes: string[]
}

export interface OptionNode {
  /** `-n`, `--limit` */
  names: readonly string[]
  /** `<n>`; undefined for a switch. */
  value: string | undefined
  description: string
  choices: readonly string[]
  /** The value is a file or folder. */
  isPath: boolean
}

const PATHS = /^[<[](?:file|files|place|folder|directory|path)(?:\.\.\.)?[>\]]$/
const NOT_A_FILE = new Set(['--path-prefix'])

export function describe(command: Command): CommandNode {
  const { examples, notes } = afterHelp(command)
  const help = command.createHelp()
  return {
    path: pathOf(command),
    description: command.description(),
    usage: command.registeredArguments
      .map((argument) => {
        const name = `${argument.name()}${argument.variadic ? '...' : ''}`
        return argument.required ? `<${name}>` : `[${name}]`
      })
      .join(' '),
    options: help.visibleOptions(command).map((option) => {
      const value = /[<[].*$/.exec(option.flags)?.[0]
      const names = [option.short, option.long].filter((name) => name !== undefined)
      return {
        names,
        value,
        description: help.optionDescription(option),
        choices: option.argChoices ?? [],
        isPath: value !== undefined && PATHS.test(value) && !names.some((name) => NOT_A_FILE.has(name)),
      }
    }),
    commands: help
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .map(describe),
    examples,
    notes,
  }
}

/** The command itself and all below it, parents first. */
export function* nodesOf(node: CommandNode): Generator<CommandNode> {
  yield node
  for (const child of node.commands) yield* nodesOf(child)
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()]
}

/** Commander keeps what `addHelpText` adds as listeners only. */
function afterHelp(command: Command): { examples: string[]; notes: string[] } {
  let text = ''
  const listeners = command as unknown as EventEmitter
  listeners.emit('afterHelp', { error: false, command, write: (part: string) => void (text += part) })
  const lines = text.split('\n')
  const examples = lines.filter((line) => line.startsWith('  $ ')).map((line) => line.slice('  $ '.length))
  const rest = lines.filter((line) => line !== 'Examples:' && !line.startsWith('  $ '))
  const notes = rest.join('\n').split(/\n{2,}/)
  return { examples, notes: notes.map((note) => note.trim()).filter((note) => note !== '') }
}
