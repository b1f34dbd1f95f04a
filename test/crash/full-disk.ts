/**
 * A disk that fills up while a server, a library user and the command line work on it, and is freed again: refusals are
 * clear, nothing acknowledged is lost, reads continue, also by new processes, and no process needs a restart.
 *
 * The disk is a small one in memory if this user may mount one (Linux, root). Otherwise a limit on the size of files
 * (`ulimit -f`) has the same effect on large writes.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../processes/process.ts'
import { ChildActor, ServerActor } from './actors.ts'
import { Violation } from './rounds.ts'
import { createThings, readFresh } from './store.ts'
import { Probe } from './probe.ts'

const DISK_BYTES = 24 << 20

export async function fillDisk(directory: string): Promise<unknown> {
  const disk = join(directory, 'disk')
  mkdirSync(disk)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'none', disk], { stdio: 'ignore' })
  if (mounted.status !== 0) return limitFiles(directory)
  try {
    return await onSmallDisk(disk)
  } finally {
    spawnSync('umount', ['-l', disk])
  }
}

async function onSmallDisk(disk: string): Promise<unknown> {
  const store = join(disk, 'store')
  const ballast = join(disk, 'ballast')
  await createThings(store)
  const server = await ServerActor.start(store)
  const library = await ChildActor.start(store, 'library')
  const probes = [new Probe('server', server), new Probe('library', library)]
  const figures = { how: 'tmpfs', refused: 0, acknowledged: 0, codes: new Set<string>() }
  try {
    for (let time = 0; time < 3; time++) {
      for (const probe of probes) await probe.mustWrite(5)
      fill(ballast, time * 8_192)
      for (const probe of probes) {
        await probe.mayWrite(20, 60_000)
        await probe.checkReads()
      }
      if (time === 0) await checkCommands(store)
      const compact = await command(['compact', 'things', '--data', store, '--json']).done
      if (compact.code !== 0 && !/disk-full|no space|full/i.test(compact.out + compact.err))
        throw new Violation(`siltstone compact on a full disk ended with ${compact.code}: ${compact.out}${compact.err}`)
      rmSync(ballast)
    }
    for (const probe of probes) await probe.mustWrite(5)
    for (const probe of probes) {
      figures.refused += probe.refused.length
      figures.acknowledged += probe.acknowledged
      for (const { kind, code } of probe.refused) figures.codes.add(`${kind} ${code}`)
      const strange = probe.refused.find(({ code }) => code !== 'disk-full')
      if (strange) throw new Violation(`${probe.name} answered on a full disk: ${strange.message}`)
    }
    if (figures.refused === 0) throw new Violation('the full disk refused nothing')
    await library.stop()
    await server.stop()
    await checkWhole(store, probes)
    return { ...figures, codes: [...figures.codes] }
  } finally {
    await Promise.all([server.kill(), library.kill()])
  }
}

/** Commands that only read do so where nothing can be written. */
export async function checkCommands(store: string): Promise<void> {
  for (const args of [
    ['get', 'things'],
    ['collections', 'list'],
    ['verify', '--quick'],
  ]) {
    const { code, out, err } = await command([...args, '--data', store, '--json']).done
    if (code !== 0)
      throw new Violation(`siltstone ${args.join(' ')} ended with ${code} where nothing can be written: ${out}${err}`)
  }
}

/** Writes until the disk is full, then frees `restBytes`. */
function fill(path: string, restBytes: number): void {
  const file = openSync(path, 'w')
  try {
    for (const block of [1 << 16, 1 << 12]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(block))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    }
    ftruncateSync(file, Math.max(0, fstatSync(file).size - restBytes))
  } finally {
    closeSync(file)
  }
}

async function limitFiles(store: string): Promise<unknown> {
  const limited = await ChildActor.start(store, 'library', false, 1 << 20)
  const probe = new Probe('library', limited)
  try {
    for (let time = 0; time < 3; time++) {
      await probe.mustWrite(3)
      await probe.mayWrite(3, 4 << 20)
      await probe.checkReads()
    }
    if (probe.refused.length === 0) throw new Violation('the limit refused nothing')
    const strange = probe.refused.find(({ code }) => code !== 'disk-full')
    if (strange) throw new Violation(`too large a file was answered with ${strange.message}`)
    await probe.mustWrite(3)
    await limited.stop()
    await checkWhole(store, [probe])
    return { how: 'ulimit', refused: probe.refused.length, acknowledged: probe.acknowledged }
  } finally {
    await limited.kill()
  }
}

export async function checkWhole(store: string, probes: readonly Probe[]): Promise<void> {
  const { records, problems } = await readFresh(store, true)
  if (problems.length > 0) throw new Violation(`verify: ${problems.join('; ')}`)
  for (const probe of probes) probe.check(records, 'a fresh process')
  const { code, out, err } = await command(['verify', '--data', store, '--json']).done
  if (code !== 0) throw new Violation(`siltstone verify ended with ${code}: ${out}${err}`)
}
