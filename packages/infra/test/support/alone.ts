/** Runs single components, without the repository's programs, through the programs in `programs/`. */
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { awsProvider, type Resource, type Run, runProgram } from '../../src/testing/index.ts'
import type { ComponentName } from '../programs/components.ts'
import { ACCOUNT, REGION } from './program.ts'

const DIRECTORY = fileURLToPath(new URL('../..', import.meta.url))

function runTestProgram(name: string, config: Record<string, string>): Promise<Run> {
  return runProgram({
    directory: DIRECTORY,
    program: `./test/programs/${name}.ts`,
    project: name,
    stack: 'dev',
    config: Object.fromEntries(Object.entries(config).map(([key, value]) => [`${name}:${key}`, value])),
    provider: awsProvider({ account: ACCOUNT, region: REGION }),
  })
}

export interface Alone {
  /** The component itself. */
  component: Resource
  /** The resources of the component. */
  resources: Resource[]
}

/** @param args plain JSON */
export async function alone(component: ComponentName, args: object = {}): Promise<Alone> {
  const { resources } = await runTestProgram('alone', { component, args: JSON.stringify(args) })
  const found = resources.find(({ type }) => type === `siltstone:aws:${component}`)
  if (found === undefined) throw new Error(`the program created no ${component}`)
  return { component: found, resources: resources.filter(({ custom }) => custom) }
}

export type Attempt = readonly [component: ComponentName, args: object]

/** The error of each attempt, or `accepted`, from one run of the program. */
export async function refusals(attempts: readonly Attempt[]): Promise<string[]> {
  const { outputs } = await runTestProgram('attempts', { attempts: JSON.stringify(attempts) })
  return outputs['refusals'] as string[]
}

/** The message names the field, the value and the remedy. */
export type Refusal = readonly [...Attempt, message: string]

/** Describes that each attempt is refused with its message. */
export function describeRefusals(cases: readonly Refusal[]): void {
  describe('refusals', () => {
    let messages: string[]
    beforeAll(async () => {
      messages = await refusals(cases.map(([component, args]) => [component, args]))
    })
    it.each(cases.map(([component, , message], at) => [component, message, at] as const))(
      '%s: %s',
      (_, message, at) => {
        expect(messages[at]).toContain(message)
      },
    )
  })
}

/** The last part of the type, for readable lists. */
export const shortType = ({ type }: Resource): string => type.split(':').at(-1) ?? type
