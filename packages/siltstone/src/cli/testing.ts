/** Runs the command line as a user does: as a process. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ran {
  code: number | null
  out: string
  err: string
}

export const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

export function start(args: readonly string[], env: Record<string, string> = {}) {
  return spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } })
}

export function siltstone(args: readonly string[], input = ''): Promise<Ran> {
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
