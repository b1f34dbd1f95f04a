/** Memory and processor time of any process, from /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs'

/** /proc counts in hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export interface ProcessUsage {
  rssBytes: number
  /** The peak as the kernel recorded it, which sampling could miss. */
  peakRssBytes: number
  cpuSeconds: number
}

export function processUsage(pid: number): ProcessUsage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  // The second field, a name in parentheses, may contain spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return {
    rssBytes: kilobytes('VmRSS') * 1024,
    peakRssBytes: kilobytes('VmHWM') * 1024,
    cpuSeconds: ticks / TICKS_PER_SECOND,
  }
}

/** Of a process, its descendants, and those of them that have ended and whose parents have noticed. */
export function treeCpuSeconds(root: number): number {
  const children = new Map<number, number[]>()
  const ticks = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(name)
    if (fields === undefined) continue
    const parent = Number(fields[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    ticks.set(
      Number(name),
      fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0),
    )
  }
  let sum = 0
  for (const waiting = [root]; waiting.length > 0; ) {
    const pid = waiting.pop() as number
    sum += ticks.get(pid) ?? 0
    waiting.push(...(children.get(pid) ?? []))
  }
  return sum / TICKS_PER_SECOND
}

/** The fields after the name; undefined if the process has ended meanwhile. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined
    throw error
  }
}

/** Samples `read` until `stop`, and keeps the largest value. */
export function samplePeak(read: () => number, everyMs = 50): { stop(): number } {
  let peak = read()
  const timer = setInterval(() => {
    peak = Math.max(peak, read())
  }, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      return Math.max(peak, read())
    },
  }
}
