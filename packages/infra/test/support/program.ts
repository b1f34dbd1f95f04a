/** The real programs, run once per set of options and test file. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FUNCTIONS } from '../../src/names.ts'
import { type RegisteredOptions, type Resource, type Run, runInfra } from '../../src/testing/index.ts'

/** Stands for the built functions: what is in them does not matter here. The same folder for every test. */
export function codeDirectory({ model = false } = {}): string {
  const folder = join(tmpdir(), `siltstone-functions-stand-in${model ? '-model' : ''}`)
  if (model) mkdirSync(join(folder, 'layer'), { recursive: true })
  for (const name of [...FUNCTIONS, 'ingest', 'registry']) {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'index.mjs'), 'export const handler = async () => ({})\n')
  }
  return folder
}

export const ACCOUNT = '111122223333'
export const REGION = 'us-east-1'

const runs = new Map<string, Promise<Run>>()

/** Runs each set of options once per test file. */
export function run(options: RegisteredOptions = {}): Promise<Run> {
  const all = {
    account: ACCOUNT,
    region: REGION,
    ...options,
    config: { codeDirectory: codeDirectory(), ...options.config },
  }
  const key = JSON.stringify(all)
  const known = runs.get(key) ?? runInfra(all)
  runs.set(key, known)
  return known
}

export function bootstrap(config: Record<string, string> = {}): Promise<Run> {
  return runInfra({ account: ACCOUNT, region: REGION, program: 'bootstrap', stack: 'admin', config })
}

export function only(resources: readonly Resource[], type: string, name?: string): Resource {
  const found = resources.filter((each) => each.type === type && (name === undefined || each.name === name))
  if (found.length !== 1 || !found[0]) {
    throw new Error(`${found.length} resources ${type} ${name ?? ''}: ${found.map((each) => each.name).join(', ')}`)
  }
  return found[0]
}

export function all(resources: readonly Resource[], type: string): Resource[] {
  return resources.filter((each) => each.type === type)
}
