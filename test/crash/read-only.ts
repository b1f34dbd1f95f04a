/**
 * A directory that becomes read-only while a server and a library user work on it: writes are refused with a clear
 * error, reads continue, and writes work again when the permission is restored. A server that starts on such a directory
 * serves reads and refuses writes, or reports the problem and ends; with `--read-only` it serves.
 *
 * Root may write everywhere, so its processes run without that capability here (`setpriv`, of util-linux).
 */
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ChildActor, ServerActor } from './actors.ts'
import { checkCommands, checkWhole } from './full-disk.ts'
import { Probe } from './probe.ts'
import { Violation } from './rounds.ts'

export async function takeRights(directory: string): Promise<unknown> {
  const server = await ServerActor.start(directory)
  const library = await ChildActor.start(directory, 'library')
  const probes = [new Probe('server', server), new Probe('library', library)]
  const outcomes = new Set<string>()
  try {
    for (let time = 0; time < 2; time++) {
      for (const probe of probes) await probe.mustWrite(4)
      setWritable(directory, false)
      for (const probe of probes) {
        const before = probe.acknowledged
        await probe.mayWrite(4, 200)
        if (probe.acknowledged > before) throw new Violation(`${probe.name} wrote to a directory that is read-only`)
        await probe.checkReads()
      }
      await checkStarts(directory, outcomes)
      setWritable(directory, true)
    }
    for (const probe of probes) {
      await probe.mustWrite(4)
      for (const { kind, code, message } of probe.refused) {
        outcomes.add(`refused with ${kind} ${code}`)
        if (code !== 'access-denied' && code !== 'read-only') throw new Violation(`${probe.name}: ${message}`)
      }
    }
    await library.stop()
    await server.stop()
    await checkWhole(directory, probes)
    setWritable(directory, false)
    await checkStarts(directory, outcomes)
    await checkCommands(directory)
    return { refused: probes.reduce((sum, probe) => sum + probe.refused.length, 0), outcomes: [...outcomes] }
  } finally {
    await Promise.all([server.kill(), library.kill()])
    setWritable(directory, true)
  }
}

async function checkStarts(directory: string, outcomes: Set<string>): Promise<void> {
  for (const args of [[], ['--read-only']]) {
    let server: ServerActor
    try {
      server = await ServerActor.start(directory, ...args)
    } catch (error) {
      if (args.length > 0 || !/may not|read-only/.test(String(error))) throw error
      outcomes.add('a new server ends')
      continue
    }
    try {
      const probe = new Probe('started', server)
      await probe.mayWrite(1, 200)
      const [refusal] = probe.refused
      if (refusal === undefined || !/access-denied|read-only/.test(refusal.message))
        throw new Violation(`a server on a read-only directory took a write, or said: ${refusal?.message}`)
      await probe.checkReads()
      outcomes.add(`a new server ${args.join('')} reads, refuses with ${refusal.code}`)
    } finally {
      await server.kill()
    }
  }
}

/** Removes write permission from each folder and file, or restores it. */
function setWritable(path: string, writable: boolean): void {
  if (writable) chmodSync(path, statSync(path).mode | 0o200)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) setWritable(inner, writable)
    else chmodSync(inner, writable ? statSync(inner).mode | 0o200 : statSync(inner).mode & ~0o222)
  }
  if (!writable) chmodSync(path, statSync(path).mode & ~0o222)
}
