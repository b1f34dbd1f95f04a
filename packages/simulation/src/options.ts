/** The options of the command line. */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { PlanNumbers } from './plan.ts'

export interface Options {
  seed: number
  histories: number
  lease: 'with' | 'without' | 'either'
  workers: number
  overrides: Partial<PlanNumbers>
  budgetMs: number | undefined
  summary: string | undefined
  json: boolean
  trace: boolean
  shrink: boolean
  mutants: boolean
  /** Run only the mutants whose name begins with this. */
  only: string
  /** Start seeds per mutant. */
  starts: number
}

export const USAGE = `npm run simulate -- [options]

  --seed N           first seed (default: random, and printed)
  --histories M      how many seeds from there (default 1000)
  --lease            leases always work; without it, three of ten histories have none
  --no-lease         no history has leases
  --trace            print everything that happens in the history of one seed
  --set NAME=VALUE   override a number of the plan (repeatable): sessions=1, faults.crash=0, compact.leaseTtlMs=2000
  --no-shrink        print a failing seed without making it smaller
  --workers K        processes (default: one for each core)
  --minutes T        begin no new batch after T minutes
  --summary FILE     write the totals there every half minute
  --json             print the report as JSON
  --mutants          run mutants of the protocols; each must be caught
  --only PREFIX      run only the mutants whose name begins with PREFIX
  --starts S         start seeds per mutant (default 3)
`

/** @throws Error with a message for the user */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      histories: { type: 'string' },
      lease: { type: 'boolean' },
      'no-lease': { type: 'boolean' },
      trace: { type: 'boolean' },
      set: { type: 'string', multiple: true },
      'no-shrink': { type: 'boolean' },
      workers: { type: 'string' },
      minutes: { type: 'string' },
      summary: { type: 'string' },
      json: { type: 'boolean' },
      mutants: { type: 'boolean' },
      only: { type: 'string' },
      starts: { type: 'string' },
    },
  })
  const overrides: Partial<PlanNumbers> = {}
  for (const one of values.set ?? []) {
    const [name, value] = one.split('=') as [string, string | undefined]
    overrides[name] = number(`--set ${name}`, value ?? '')
  }
  if (values.lease === true && values['no-lease'] === true) throw new Error('--lease and --no-lease exclude each other')
  if (values.lease === true) overrides['withoutLease'] = 0
  if (values['no-lease'] === true) overrides['withoutLease'] = 1
  return {
    seed: values.seed === undefined ? randomInt(1, 2 ** 31) : number('--seed', values.seed),
    histories:
      values.histories === undefined ? (values.trace === true ? 1 : 1_000) : number('--histories', values.histories),
    lease: values.lease === true ? 'with' : values['no-lease'] === true ? 'without' : 'either',
    workers: values.workers === undefined ? availableParallelism() : number('--workers', values.workers),
    overrides,
    budgetMs: values.minutes === undefined ? undefined : number('--minutes', values.minutes) * 60_000,
    summary: values.summary,
    json: values.json === true,
    trace: values.trace === true,
    shrink: values['no-shrink'] !== true,
    mutants: values.mutants === true,
    only: values.only ?? '',
    starts: values.starts === undefined ? 3 : number('--starts', values.starts),
  }
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new Error(`${name} wants a number, not ${JSON.stringify(text)}`)
  return value
}
