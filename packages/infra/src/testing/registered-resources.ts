import { fileURLToPath } from 'node:url'
import { awsProvider } from './aws-provider.ts'
import { type Provider, type Run, runProgram } from './engine.ts'
import type { Resource } from './resource.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/** The repository's programs, by the names in their `Pulumi.yaml`. */
const PROGRAMS = {
  stack: { directory: `${ROOT}infra`, project: 'siltstone' },
  bootstrap: { directory: `${ROOT}infra/bootstrap`, project: 'siltstone-bootstrap' },
} as const

export interface RegisteredOptions {
  /** Default `dev`. */
  stack?: string
  /** Keys without the project: `{ environment: 'prod' }`. */
  config?: Record<string, string>
  /** Keys of `config` that are secrets. */
  secrets?: readonly string[]
  /** Default 111122223333. */
  account?: string
  /** Default us-east-1. */
  region?: string
  /** Default `stack`, the program in `infra/`. */
  program?: keyof typeof PROGRAMS
  /** As in a first preview: nothing exists. */
  dryRun?: boolean
  /**
   * Creates the resources in the order of registration, and returns the outputs that the program waits for. Default:
   * nothing is created, and the program receives what AWS would answer.
   */
  provider?: Provider
}

/** Runs a program of `infra/` to its end. @throws Error with the program's messages when it fails */
export function runInfra(options: RegisteredOptions = {}): Promise<Run> {
  const { stack = 'dev', config = {}, secrets = [], program = 'stack', dryRun = false } = options
  const { directory, project } = PROGRAMS[program]
  const qualified = (key: string) => `${project}:${key}`
  return runProgram({
    directory,
    program: './index.ts',
    project,
    stack,
    config: Object.fromEntries(Object.entries(config).map(([key, value]) => [qualified(key), value])),
    secretConfig: secrets.map(qualified),
    dryRun,
    provider:
      options.provider ??
      awsProvider({ account: options.account ?? '111122223333', region: options.region ?? 'us-east-1' }),
  })
}

/** The resources that the program of `infra/` declares, each after its dependencies. */
export async function registeredResources(options: RegisteredOptions = {}): Promise<Resource[]> {
  return (await runInfra(options)).resources
}
