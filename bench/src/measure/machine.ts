/** The machine and the commit of a measurement, and the load of the machine by other programs. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem, release } from 'node:os'
import { REPOSITORY } from '../places.ts'

export interface Conditions {
  cpu: string
  threads: number
  memoryGb: number
  system: string
  node: string
  commit: string
  /** Whether sources of the product differ from the commit. */
  dirty: boolean
  /** Load average of the last minute, before the run. */
  loadBefore: number
}

export function conditions(): Conditions {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform}-${process.arch}, ${release()}`,
    node: process.versions.node,
    commit: git('rev-parse', '--short', 'HEAD'),
    dirty: git('status', '--porcelain', '--', 'packages/siltstone/src') !== '',
    loadBefore: load(),
  }
}

export function load(): number {
  return loadavg()[0] as number
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim()
}

/** Processor seconds: of the machine since it started, and of this process with its ended children. */
export function processorSeconds(): { busy: number; idle: number; own: number } {
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  const [, user, nice, system, idle, iowait, irq, softirq, steal] = total.split(/\s+/).map(Number)
  const seconds = (...values: (number | undefined)[]) => values.reduce<number>((sum, x) => sum + (x ?? 0), 0) / 100
  // Fields after the name in parentheses: utime, stime, cutime, cstime are the 12th to the 15th.
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number)
  return {
    busy: seconds(user, nice, system, irq, softirq, steal),
    idle: seconds(idle, iowait),
    own: seconds(...fields.slice(11, 15)),
  }
}
