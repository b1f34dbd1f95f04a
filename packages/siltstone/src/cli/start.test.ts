/** The start of the installed command: where it keeps compiled code. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VERSION } from '../version.ts'

const MAIN = fileURLToPath(new URL('siltstone.cjs', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-start-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function version(env: Record<string, string>, ...nodeArgs: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [...nodeArgs, MAIN, '--version'], { env, encoding: 'utf8' })
  return `${stdout}${stderr}`.trim()
}

describe('the command', () => {
  it('keeps compiled code in the cache folder of the user', () => {
    expect(version({ XDG_CACHE_HOME: folder })).toBe(VERSION)
    expect(existsSync(join(folder, 'siltstone/code'))).toBe(true)
  })

  it('starts where no folder can be made, and for a user without a home', () => {
    expect(version({ XDG_CACHE_HOME: '/proc/nowhere' })).toBe(VERSION)
    const noHome = `data:text/javascript,import os from 'node:os';import { syncBuiltinESMExports } from 'node:module';os.homedir = () => { throw new Error('no home') };syncBuiltinESMExports()`
    expect(version({}, '--import', noHome)).toBe(VERSION)
  })

  it('starts a server again in the same process, with less memory for new objects, unless a size is chosen', () => {
    const tells = `data:text/javascript,process.stderr.write(process.pid + process.execArgv.filter((flag) => flag.startsWith('--max-semi')).join() + ' ')`
    const starts = (...nodeArgs: string[]) => {
      const { stderr } = spawnSync(process.execPath, ['--import', tells, ...nodeArgs, MAIN, 'serve', '--help'], {
        env: { XDG_CACHE_HOME: folder },
        encoding: 'utf8',
      })
      return stderr.trim().split(' ')
    }
    const [first = '', second] = starts()
    expect(second).toBe(typeof process.execve === 'function' ? `${first}--max-semi-space-size=8` : undefined)
    expect(starts('--max-semi-space-size=32')).toHaveLength(1)
  })
})
