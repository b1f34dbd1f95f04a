/**
 * `siltstone registry`: this module declares the group; the commands come from `@siltstone/registry`, which users install when they
 * need it, as those of `siltstone migrate` do.
 */
import type { Command } from 'commander'
import { importOptional } from '../../host/optional-package.ts'
import { command, group } from '../command.ts'
import { Output } from '../output.ts'
import { dataOption, withOutputOptions } from '../session.ts'

const registryTools = {
  command,
  dataOption,
  withOutputOptions,
  output: (options: { json?: boolean; debug?: boolean }) => new Output(options),
}

/** The tools with which `@siltstone/registry` builds commands for this CLI. */
export type RegistryTools = typeof registryTools

export function registryCommand(): Command {
  return group('registry', 'verify a registry, and make its index again', [])
}

/** @throws SiltstoneError `unsupported` (package-missing, package-broken) */
export async function loadRegistryCommands(): Promise<Command[]> {
  const { registryCommands } = (await importOptional('@siltstone/registry', '"siltstone registry"')) as {
    registryCommands: (tools: RegistryTools) => Command[]
  }
  return registryCommands(registryTools)
}
