import type { Command } from 'commander'
import { writeOut } from '../../host/process.ts'
import { notFound } from '../../errors.ts'
import { command } from '../command.ts'
import { describe, nodesOf } from '../shell/describe.ts'
import { manPage } from '../shell/man.ts'
import { rootOf } from './completion.ts'

export function manCommand(): Command {
  return command('man [command...]', 'print the manual page of a command, in the format of man', [
    'man serve > siltstone-serve.1',
    'man collections list | man -l -',
  ]).action(async (names: string[], _: object, made: Command) => {
    const nodes = [...nodesOf(describe(rootOf(made)))]
    const node = nodes.find(({ path }) => path.join(' ') === names.join(' '))
    if (node === undefined)
      throw notFound(
        'command-missing',
        `there is no command ${JSON.stringify(names.join(' '))}; "siltstone --help" lists them`,
      )
    await writeOut(manPage(node))
  })
}
