/** Memory and processor time of any process, from /proc (Linux). */
import { readFileSync } from 'node:fs'

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
