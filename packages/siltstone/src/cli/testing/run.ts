/** Runs the command line: as a process, as a user does, or within the test, which is ten times as fast. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { run } from '../run.ts'
import { current, type Ran } from './mocks.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

export function start(args: readonly string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } })
}

export function siltstoneProcess(args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = start(args)
    const ran: Ran = { code: null, out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => (ran.out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (ran.err += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...ran, code }))
    child.stdin.end(input)
  })
}

/**
 * One at a time, in a test that mocks `host/process.ts` and `host/machine.ts` with those of `mocks.ts`.
 */
export async function siltstone(args: readonly string[], input: string | Uint8Array = ''): Promise<Ran> {
  current.ran = { code: 0, out: '', err: '' }
  current.input = typeof input === 'string' ? Buffer.from(input) : input
  const code = await run(args)
  return { ...current.ran, code: code ?? current.ran.code }
}
