/** Codes of errors that the documentation names must exist. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = execFileSync('git', ['ls-files', 'packages/siltstone/src/*.ts'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && !/\.(test|contract)\.ts$/.test(path))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n')

describe('troubleshooting', () => {
  it('names codes and kinds that exist', () => {
    const page = readFileSync(join(root, 'docs/how-to/troubleshoot.md'), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code))
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((code) => !sources.includes(`'${code}'`))).toEqual([])
  })
})
