import { statfs } from 'node:fs/promises'
import { availableParallelism, homedir, hostname, totalmem } from 'node:os'
import { fileError } from './file-errors.ts'

/** Memory use of this process. */
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
  /** The number of threads that can run at once. */
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

/** The space that this user may still use on the file system of `path`. */
export async function freeDiskBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    throw fileError(error, { path, doing: 'inspect' })
  }
}

/** The content of this process's standard input. */
export function stdinChunks(): AsyncIterable<Uint8Array> {
  return process.stdin as AsyncIterable<Uint8Array>
}
