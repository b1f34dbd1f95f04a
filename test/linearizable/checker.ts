/** The checker of histories, a program in Go: see `checker/`. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, 'checker')

export interface Verdict {
  result: 'Ok' | 'Illegal' | 'Unknown'
  operations: number
  open: number
  groups: number
  failed?: number
  ms: number
}

/** @throws Error if there is no Go */
function goProgram(): string {
  const installed = '/usr/local/go/bin/go'
  const found = ['go', installed].find((program) => spawnSync(program, ['version']).status === 0)
  if (found === undefined)
    throw new Error(`the checker needs Go 1.22 or later (https://go.dev/dl), in PATH or in ${installed}`)
  return found
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: FOLDER, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
  return stdout
}

export class Checker {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  /** Tests the model, and builds the program. @throws Error */
  static build(folder: string): Checker {
    const go = goProgram()
    run(go, ['vet', './...'])
    run(go, ['test', './...'])
    const program = join(folder, 'checker')
    run(go, ['build', '-o', program, '.'])
    return new Checker(program)
  }

  /** @param drawing where a drawing goes if the history is not linearizable */
  check(history: string, drawing: string): Verdict {
    const { status, stdout, stderr } = spawnSync(this.#program, ['-drawing', drawing, history], { encoding: 'utf8' })
    if (stdout === '') throw new Error(`the checker ended with ${status}: ${stderr}`)
    const verdict = JSON.parse(stdout) as Verdict
    if (verdict.result === 'Illegal' && !existsSync(drawing)) throw new Error(`there is no drawing: ${stderr}`)
    return verdict
  }
}
