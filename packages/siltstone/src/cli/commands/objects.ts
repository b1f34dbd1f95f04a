/**
 * `siltstone objects`: this module declares the group; the commands come from `@siltstone/objects`, which users install
 * when they need it, as those of `siltstone migrate` do.
 */
import { type Command, Option } from 'commander'
import { importOptional } from '../../host/optional-package.ts'
import { writeOut } from '../../host/process.ts'
import { wholeNumber } from '../arguments.ts'
import { command, group } from '../command.ts'
import { Output } from '../output.ts'
import { dataOption, withOutputOptions } from '../session.ts'

const objectsTools = {
  command,
  Option,
  dataOption,
  withOutputOptions,
  wholeNumber,
  output: (options: { json?: boolean; debug?: boolean }) => new Output(options),
  writeOut,
}

/** The tools with which `@siltstone/objects` builds commands for this CLI. */
export type ObjectsTools = typeof objectsTools

export function objectsCommand(): Command {
  return group('objects', 'copy, list, move, sign and delete objects, and make them searchable', [])
}

/** @throws SiltstoneError `unsupported` (package-missing, package-broken) */
export async function loadObjectsCommands(): Promise<Command[]> {
  const { objectsCommands } = (await importOptional('@siltstone/objects', '"siltstone objects"')) as {
    objectsCommands: (tools: ObjectsTools) => Command[]
  }
  return objectsCommands(objectsTools)
}
