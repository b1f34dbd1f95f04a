/**
 * Folders for large temporary data, one a job, in the system's temporary directory. A process that is killed leaves its folders,
 * perhaps with a copy of a long video in each. So a name says which process of which machine made the folder, and every worker
 * removes, when it starts, those of processes of its machine that have ended.
 *
 * The number of a process may be used again, in a container at once: a folder that is older than the process with its number
 * was made by another. One whose number another program has now stays until that has ended.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcessContext } from '@siltstone/processors'
import { type Clock, freeDiskBytes, makeTemporaryDirectory, removeTree, sha256Hex } from 'siltstone/internal'

const prefixOf = (hostName: string): string => `siltstone-objects-${sha256Hex(hostName).slice(0, 8)}-`

/** @throws SiltstoneError `unavailable` (disk-full, read-only, access-denied) if no folder can be made, and what the work throws */
export async function withScratch<T>(work: (scratch: ProcessContext['scratch']) => Promise<T>): Promise<T> {
  const path = await makeTemporaryDirectory(`${prefixOf(hostname())}${process.pid}-`)
  try {
    return await work({ path, freeBytes: () => freeDiskBytes(path) })
  } finally {
    await removeTree(path)
  }
}

/**
 * Removes what killed processes have left. What another user made stays.
 * @returns how many folders
 */
export async function removeLeftScratch(clock: Clock, folder = tmpdir()): Promise<number> {
  const prefix = prefixOf(hostname())
  let removed = 0
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(prefix) ? Number(/^\d+/.exec(name.slice(prefix.length))?.[0]) : Number.NaN
    if (Number.isNaN(pid)) continue
    const path = join(folder, name)
    try {
      if (pid === process.pid ? (await stat(path)).mtimeMs >= startedMs(clock) : isRunning(pid)) continue
      await rm(path, { recursive: true, force: true })
      removed++
    } catch (error) {
      // Another worker was faster, or it belongs to another user.
      const { code = '' } = error as NodeJS.ErrnoException
      if (!['ENOENT', 'EACCES', 'EPERM', 'ENOTEMPTY'].includes(code)) throw error
    }
  }
  return removed
}

/** By the clock of the file system, with a second's grace for a coarse one. */
const startedMs = (clock: Clock): number => clock.nowMs() - process.uptime() * 1_000 - 1_000

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Of another user, it may not be asked.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
