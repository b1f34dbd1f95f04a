/**
 * Completions for bash, zsh and fish. Each script is complete: it starts no process while the user types. All three do the
 * same steps: find the command from the words before the cursor, passing over the values of options; then offer the values
 * of the option before the cursor, or the commands, or the options.
 */
import { type CommandNode, nodesOf, type OptionNode } from './describe.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export function completionScript(shell: Shell, program: CommandNode, name = 'siltstone'): string {
  const nodes = [...nodesOf(program)]
  if (shell === 'fish') return fish(nodes, name)
  return shell === 'bash' ? bash(nodes, name) : zsh(nodes, name)
}

const key = ({ path }: CommandNode): string => path.join(' ')
const namesOf = ({ options }: CommandNode): string[] => options.flatMap(({ names }) => names)
const withValue = ({ options }: CommandNode): OptionNode[] => options.filter(({ value }) => value !== undefined)
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const firstSentence = (text: string): string =>
  text.replaceAll(/\s+/g, ' ').split(/ \(env: | \(default: |; /, 1)[0] as string

/** `case` lines of bash and zsh that lead from a command and a word to the command below. */
function steps(nodes: readonly CommandNode[]): string {
  const lines = nodes.flatMap((node) =>
    node.commands.map((child) => `      ${quoted(`${key(node)}|${child.path.at(-1)}`)}) at=${quoted(key(child))} ;;`),
  )
  return lines.join('\n')
}

function valued(nodes: readonly CommandNode[]): string {
  return nodes
    .filter((node) => withValue(node).length > 0)
    .map(
      (node) =>
        `    ${quoted(key(node))}) valued=${quoted(
          ` ${withValue(node)
            .flatMap(({ names }) => names)
            .join(' ')} `,
        )} ;;`,
    )
    .join('\n')
}

/** `case` lines for the option before the cursor. */
function values(nodes: readonly CommandNode[], line: (option: OptionNode) => string): string {
  return nodes
    .flatMap((node) =>
      withValue(node).map(
        (option) => `    ${option.names.map((name) => quoted(`${key(node)}|${name}`)).join('|')}) ${line(option)} ;;`,
      ),
    )
    .join('\n')
}

function bash(nodes: readonly CommandNode[], name: string): string {
  const f = `_${name}`
  return `# Completion of ${name} for bash: source <(${name} completion bash)
${f}_valued() {
  case $1 in
${valued(nodes)}
    *) valued=' ' ;;
  esac
}

${f}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' valued i word
  COMPREPLY=()
  # Bash takes --option=value for three words.
  if [ "$cur" = '=' ]; then cur=''
  elif [ "$prev" = '=' ] && [ "$COMP_CWORD" -ge 2 ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    ${f}_valued "$at"
    if [[ $valued == *" $word "* ]]; then
      [ "\${COMP_WORDS[i+1]}" = '=' ] && i=$((i + 1))
      i=$((i + 1))
      continue
    fi
    case "$at|$word" in
${steps(nodes)}
    esac
  done
  case "$at|$prev" in
${values(nodes, ({ choices, isPath }) =>
  choices.length > 0
    ? `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$cur")); return`
    : isPath
      ? 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return'
      : 'return',
)}
  esac
  local words=''
  case $at in
${nodes
  .map(
    (node) =>
      `    ${quoted(key(node))}) if [[ $cur == -* ]]; then words=${quoted(namesOf(node).join(' '))}; else words=${quoted(
        node.commands.map(({ path }) => path.at(-1)).join(' '),
      )}; fi ;;`,
  )
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ -z "$words" ]; then compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi
}

complete -F ${f} ${name}
`
}

/** Word and description for `_describe`, which splits at the first colon. */
const described = (word: string, text: string): string =>
  quoted(`${word.replaceAll(':', '\\:')}:${firstSentence(text)}`)

function zsh(nodes: readonly CommandNode[], name: string): string {
  const f = `_${name}`
  return `#compdef ${name}
# Completion of ${name} for zsh: ${name} completion zsh > "\${fpath[1]}/_${name}"
${f}_valued() {
  case $1 in
${valued(nodes)}
    *) valued=' ' ;;
  esac
}

${f}() {
  local at='' valued word prev=\${words[CURRENT-1]} cur=\${words[CURRENT]}
  local -i i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    ${f}_valued "$at"
    if [[ $valued == *" $word "* ]]; then
      i=$((i + 1))
      continue
    fi
    case "$at|$word" in
${steps(nodes)}
    esac
  done
  if [[ $cur == --*=* ]]; then
    prev=\${cur%%=*}
    compset -P '*='
  fi
  case "$at|$prev" in
${values(nodes, ({ choices, isPath }) =>
  choices.length > 0 ? `compadd -- ${choices.map(quoted).join(' ')}; return` : isPath ? '_files; return' : 'return 1',
)}
  esac
  case $at in
${nodes
  .map(
    (node) =>
      `    ${quoted(key(node))}) if [[ $cur == -* ]]; then offered=(${node.options
        .flatMap(({ names, description }) => names.map((one) => described(one, description)))
        .join(' ')}); else offered=(${node.commands
        .map(({ path, description }) => described(path.at(-1) ?? '', description))
        .join(' ')}); fi ;;`,
  )
  .join('\n')}
  esac
  if ((\${#offered})); then _describe '${name}' offered; else _files; fi
}

# Loaded from fpath, this file is the function itself; sourced, it registers one.
if [ "\${funcstack[1]}" = '${f}' ]; then ${f} "$@"; else compdef ${f} ${name}; fi
`
}

/** Within single quotes, fish knows the escapes \\\\ and \\'. */
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function fish(nodes: readonly CommandNode[], name: string): string {
  const f = `__${name}`
  const lines = nodes.flatMap((node) => {
    const when = `-n ${fishQuoted(`${f}_at ${fishQuoted(key(node))}`)}`
    const flags = node.options.map(({ names, value, choices, isPath, description }) => {
      const spelled = names.map((one) => (one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`)).join(' ')
      const takes =
        value === undefined
          ? ''
          : choices.length > 0
            ? `-x -a ${fishQuoted(choices.join(' '))}`
            : isPath
              ? '-r -F'
              : '-x'
      return `complete -c ${name} ${when} ${spelled} ${takes} -d ${fishQuoted(firstSentence(description))}`
    })
    const children = node.commands.map(
      ({ path, description }) =>
        `complete -c ${name} ${when} -f -a ${fishQuoted(path.at(-1) ?? '')} -d ${fishQuoted(firstSentence(description))}`,
    )
    return [...children, ...flags]
  })
  return `# Completion of ${name} for fish: ${name} completion fish > ~/.config/fish/completions/${name}.fish
function ${f}_path
  set -l at
  set -l skip 0
  for word in (commandline -opc)[2..]
    if test $skip = 1
      set skip 0
      continue
    end
    switch "$at|$word"
${nodes
  .flatMap((node) =>
    node.commands.map(
      (child) =>
        `      case ${fishQuoted(`${key(node)}|${child.path.at(-1)}`)}\n        set at ${fishQuoted(key(child))}`,
    ),
  )
  .join('\n')}
${nodes
  .filter((node) => withValue(node).length > 0)
  .map((node) => {
    const patterns = withValue(node).flatMap(({ names }) => names.map((one) => fishQuoted(`${key(node)}|${one}`)))
    return `      case ${patterns.join(' ')}\n        set skip 1`
  })
  .join('\n')}
    end
  end
  echo "$at"
end

function ${f}_at
  test (${f}_path) = "$argv[1]"
end

complete -c ${name} -e
${lines.join('\n')}
`
}
