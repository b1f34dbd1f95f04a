import { Argument, type Command } from 'commander'
import { writeOut } from '../../host/process.ts'
import { command } from '../command.ts'
import { completionScript, type Shell, SHELLS } from '../shell/completion.ts'
import { describe } from '../shell/describe.ts'

export function completionCommand(): Command {
  return command('completion', 'print the completion script of a shell', [
    'completion bash > ~/.local/share/bash-completion/completions/siltstone',
    'completion zsh > "${fpath[1]}/_siltstone"',
    'completion fish > ~/.config/fish/completions/siltstone.fish',
  ])
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .addHelpText('after', '\nFor this shell alone: source <(siltstone completion bash)')
    .action(async (shell: Shell, _: object, made: Command) => {
      await writeOut(completionScript(shell, describe(rootOf(made))))
    })
}

/** The program, whose commands from other packages were loaded before. */
export function rootOf(made: Command): Command {
  return made.parent === null ? made : rootOf(made.parent)
}
