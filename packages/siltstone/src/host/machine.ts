import { statfs } from 'node:fs/promises'
import { availableParallelism, homedir, hostname, totalmem } from 'node:os'
import { fileError } from './file-errors.ts'

/** Of this process. */
export interface MemoryUse {
  rssBytes: number
  heapUsedBytes: number
  /** Array buffers and other memory outside the heap. */
  externalBytes: number
}

export function memoryUse(): MemoryUse {
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external }
}

/** User and system time of this process since it began. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export interface Machine {
  hostName: string
  homeDirectory: string
  /** How many threads are worth running. */
  cpus: number
  memoryBytes: number
  platform: string
  nodeVersion: string
}

export function machine(): Machine {
  return {
    hostName: hostname(),
    homeDirectory: homedir(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    nodeVersion: process.versions.node,
  }
}

/** What this user may still write on the file system of `path`. */
export async function freeDiskBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    throw fileError(error, { path, doing: 'inspect' })
  }
}

/** What is piped into this process. */
export function stdinChunks(): AsyncIterable<Uint8Array> {
  return process.stdin as AsyncIterable<Uint8Array>
}
