/**
 * What Prometheus's clients report of a process, under the names that prom-client gives it in Node: memory, processor
 * time, files, event loop, garbage collection. A runtime that does not measure something leaves it out.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { systemClock } from './system-clock.ts'

export interface ProcessMetric {
  /** Of a counter without `_total`. */
  name: string
  help: string
  type: 'counter' | 'gauge'
  labels: readonly string[]
  samples: readonly { labels: Readonly<Record<string, string>>; value: number }[]
}

export const GC_METRIC = {
  name: 'nodejs_gc_duration_seconds',
  help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
  type: 'histogram',
  labels: ['kind'],
  buckets: [0.001, 0.01, 0.1, 1, 2, 5],
} as const

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** Calls `observe` after each garbage collection. The process does not stay alive for it. */
export function observeGarbageCollection(observe: (kind: string, seconds: number) => void): void {
  // The types of Node lack both.
  const { supportedEntryTypes } = PerformanceObserver as unknown as { supportedEntryTypes: readonly string[] }
  if (!supportedEntryTypes.includes('gc')) return
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as unknown as { detail: { kind: number }; duration: number }[])
      observe(GC_KINDS[entry.detail.kind] ?? 'other', entry.duration / 1_000)
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** @returns measures the process now; delays of the event loop are those since the last call */
export function processMetrics(): () => Promise<ProcessMetric[]> {
  const startedS = Math.round(systemClock.nowMs() / 1_000 - process.uptime())
  const startTime = gauge(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    startedS,
  )
  const delays = implemented(() => {
    const histogram = monitorEventLoopDelay()
    histogram.enable()
    return histogram
  })
  return async () => {
    const lagSeconds = await eventLoopLag()
    const metrics = [...processorTime(), startTime, ...memory(), ...files(), ...active(), ...heap(), version()]
    metrics.push(gauge('nodejs_eventloop_lag_seconds', 'Lag of event loop in seconds.', lagSeconds))
    if (delays) {
      const delay = (name: string, help: string, ns: number) =>
        metrics.push(gauge(`nodejs_eventloop_lag_${name}_seconds`, help, ns / 1e9))
      delay('min', 'The minimum recorded event loop delay.', delays.min)
      delay('max', 'The maximum recorded event loop delay.', delays.max)
      delay('mean', 'The mean of the recorded event loop delays.', delays.mean)
      delay('stddev', 'The standard deviation of the recorded event loop delays.', delays.stddev)
      for (const share of [50, 90, 99])
        delay(`p${share}`, `The ${share}th percentile of the recorded event loop delays.`, delays.percentile(share))
      delays.reset()
    }
    return metrics
  }
}

function gauge(name: string, help: string, value: number): ProcessMetric {
  return { name, help, type: 'gauge', labels: [], samples: [{ labels: {}, value }] }
}

function byLabel(name: string, help: string, label: string, values: ReadonlyMap<string, number>): ProcessMetric {
  const samples = [...values].map(([key, value]) => ({ labels: { [label]: key }, value }))
  return { name, help, type: 'gauge', labels: [label], samples }
}

async function eventLoopLag(): Promise<number> {
  const start = process.hrtime.bigint()
  await setImmediate()
  return Number(process.hrtime.bigint() - start) / 1e9
}

function processorTime(): ProcessMetric[] {
  const { user, system } = process.cpuUsage()
  const seconds = (name: string, help: string, micros: number): ProcessMetric => ({
    ...gauge(`process_cpu_${name}seconds`, help, micros / 1e6),
    type: 'counter',
  })
  return [
    seconds('user_', 'Total user CPU time spent in seconds.', user),
    seconds('system_', 'Total system CPU time spent in seconds.', system),
    seconds('', 'Total user and system CPU time spent in seconds.', user + system),
  ]
}

function memory(): ProcessMetric[] {
  const { rss } = process.memoryUsage()
  const resident = gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', rss)
  const status = procFile('status')
  if (status === undefined) return [resident]
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1_024
  return [
    resident,
    gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', bytes('VmSize')),
    gauge('process_heap_bytes', 'Process heap size in bytes.', bytes('VmData')),
  ]
}

function files(): ProcessMetric[] {
  const limits = procFile('limits')
  if (limits === undefined) return []
  const max = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  return [
    // One of them is that of the listing itself.
    gauge('process_open_fds', 'Number of open file descriptors.', readdirSync('/proc/self/fd').length - 1),
    gauge('process_max_fds', 'Maximum number of open file descriptors.', max),
  ]
}

/** Handles and requests by the functions that only monitoring uses. */
function active(): ProcessMetric[] {
  const inner = process as unknown as Record<'_getActiveHandles' | '_getActiveRequests', (() => object[]) | undefined>
  const kinds = (list: readonly object[] | undefined) => list?.map((each) => each.constructor.name)
  return [
    ...counted(
      'resources',
      'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
      process.getActiveResourcesInfo(),
    ),
    ...counted(
      'handles',
      'Number of active libuv handles grouped by handle type. Every handle type is C++ class name.',
      kinds(inner._getActiveHandles?.call(process)),
    ),
    ...counted(
      'requests',
      'Number of active libuv requests grouped by request type. Every request type is C++ class name.',
      kinds(inner._getActiveRequests?.call(process)),
    ),
  ]
}

function counted(what: string, help: string, kinds: readonly string[] | undefined): ProcessMetric[] {
  if (kinds === undefined) return []
  const counts = new Map<string, number>()
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [
    byLabel(`nodejs_active_${what}`, help, 'type', counts),
    gauge(`nodejs_active_${what}_total`, `Total number of active ${what}.`, kinds.length),
  ]
}

function heap(): ProcessMetric[] {
  const { heapTotal, heapUsed, external } = process.memoryUsage()
  const whole = [
    gauge('nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.', heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.', heapUsed),
    gauge('nodejs_external_memory_bytes', 'Node.js external memory size in bytes.', external),
  ]
  const spaces = implemented(getHeapSpaceStatistics)
  if (spaces === undefined) return whole
  const sizes = [
    ['total', 'space_size'],
    ['used', 'space_used_size'],
    ['available', 'space_available_size'],
  ] as const
  const bySpace = sizes.map(([name, field]) =>
    byLabel(
      `nodejs_heap_space_size_${name}_bytes`,
      `Process heap space size ${name} from Node.js in bytes.`,
      'space',
      new Map(spaces.map((space) => [space.space_name.replace(/_space$/, ''), space[field]])),
    ),
  )
  return [...whole, ...bySpace]
}

function version(): ProcessMetric {
  const [major = '', minor = '', patch = ''] = process.version.slice(1).split('.')
  const labels = { version: process.version, major, minor, patch }
  return {
    ...gauge('nodejs_version_info', 'Node.js version info.', 1),
    labels: Object.keys(labels),
    samples: [{ labels, value: 1 }],
  }
}

/** Undefined where the system has no such file. */
function procFile(name: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  return readFileSync(`/proc/self/${name}`, 'utf8')
}

/** Undefined where the runtime does not have it: Bun and Deno leave parts of Node out. */
function implemented<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (/not (?:yet )?implemented/i.test(String(error))) return undefined
    throw error
  }
}
