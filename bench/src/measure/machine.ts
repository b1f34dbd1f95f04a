/** What the figures were measured on, and how busy it was with other things. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem, release } from 'node:os'

export interface Conditions {
  cpu: string
  threads: number
  memoryGb: number
  system: string
  node: string
  /** Of the last minute, before we began. Other programs' share of it cannot be told apart afterwards. */
  loadBefore: number
}

export function conditions(): Conditions {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform}-${process.arch}, ${release()}`,
    node: process.versions.node,
    loadBefore: loadavg()[0] as number,
  }
}

/** Processor time of the whole machine since it started: idle and busy seconds. */
export function machineTimes(): { busySeconds: number; idleSeconds: number } {
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  const [, user, nice, system, idle, iowait, irq, softirq, steal] = total.split(/\s+/).map(Number)
  const sum = (...values: (number | undefined)[]) => values.reduce<number>((total, x) => total + (x ?? 0), 0) / 100
  return { busySeconds: sum(user, nice, system, irq, softirq, steal), idleSeconds: sum(idle, iowait) }
}
