/** Manual pages in the macros of man(7), one for the program and one for each command that runs. */
import { VERSION } from '../../version.ts'
import { EXIT_CODES } from '../errors.ts'
import type { CommandNode } from './describe.ts'

/** `siltstone-collections-list` */
export function manName({ path }: CommandNode, name = 'siltstone'): string {
  return [name, ...path].join('-')
}

export function manPage(node: CommandNode, name = 'siltstone'): string {
  const { description, options, commands, notes, usage } = node
  const command = [name, ...node.path].join(' ')
  const page = manName(node, name)
  const sections: (string | undefined)[] = [
    `.TH ${roff(page.toUpperCase())} 1 "" "${name} ${VERSION}" "${name} manual"`,
    `.SH NAME\n${roff(page)} \\- ${roff(oneLine(description))}`,
    `.SH SYNOPSIS\n.B ${roff(command)}\n${[
      options.length > 0 ? '[options]' : '',
      commands.length > 0 ? '<command>' : '',
      usage,
    ]
      .filter((part) => part !== '')
      .map(roff)
      .join(' ')}`,
    commands.length === 0
      ? undefined
      : `.SH COMMANDS\n${commands
          .map((child) => `.TP\n.BR ${roff(manName(child, name))} (1)\n${roff(oneLine(child.description))}`)
          .join('\n')}`,
    options.length === 0
      ? undefined
      : `.SH OPTIONS\n${options
          .map(
            ({ names, value, description: text }) =>
              `.TP\n${names.map((one) => `\\fB${roff(one)}\\fR`).join(', ')}${value === undefined ? '' : ` \\fI${roff(value)}\\fR`}\n${roff(oneLine(text))}`,
          )
          .join('\n')}`,
    notesOf(notes),
    node.examples.length === 0
      ? undefined
      : `.SH EXAMPLES\n${node.examples.map((example) => `.B ${roff(example)}`).join('\n.br\n')}`,
    `.SH EXIT STATUS\n${roff(EXIT_CODES.replace(/^Exit codes: /, ''))}`,
    node.path.length === 0 ? undefined : `.SH SEE ALSO\n${seeAlso(node, name)}`,
  ]
  return `${sections.filter((section) => section !== undefined).join('\n')}\n`
}

function notesOf(notes: readonly string[]): string | undefined {
  const own = notes.filter((note) => !note.startsWith('Exit codes:'))
  return own.length === 0 ? undefined : `.SH NOTES\n${own.map((note) => roff(oneLine(note))).join('\n.PP\n')}`
}

function seeAlso({ path }: CommandNode, name: string): string {
  const parents = path.map((_, i) => [name, ...path.slice(0, i)].join('-'))
  return parents.map((parent, i) => `.BR ${roff(parent)} (1)${i < parents.length - 1 ? ' ,' : ''}`).join('\n')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** Text that roff does not interpret; hyphens stay hyphens that can be copied into a shell. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^[.']/gm, '\\&$&')
    .replaceAll(
      /\P{ASCII}/gu,
      (letter) => `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}
