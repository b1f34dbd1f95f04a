/** Shows that the linter works: a snippet breaks each rule that this repository relies on, and must be reported. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(root, 'packages/siltstone/src/.bait-'))
mkdirSync(join(folder, 'drivers'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const baits: [rule: string, code: string][] = [
  ['no-floating-promises', 'async function f() {}\nexport function g() {\n  f()\n}\n'],
  ['await-thenable', 'export async function f() {\n  await 1\n}\n'],
  ['no-misused-promises', 'export function f(): void {\n  ;[1].forEach(async () => {})\n}\n'],
  ['no-explicit-any', 'export const x: any = 1\n'],
  ['only-throw-error', "export function f(): never {\n  throw 'text'\n}\n"],
  ['no-restricted-properties', 'export const t = Date.now()\n'],
  ['no-restricted-properties', 'export const t = performance.now()\n'],
  ['no-restricted-properties', 'export const t = Math.random()\n'],
  ['no-restricted-globals', 'export const t = setTimeout(() => {}, 1)\n'],
  ['no-restricted-globals', 'export const t = setInterval(() => {}, 1)\n'],
  ['no-restricted-properties', 'export const t = crypto.randomUUID()\n'],
  ['no-restricted-imports', "import { randomUUID } from 'node:crypto'\nexport const t = randomUUID()\n"],
  ['no-restricted-imports', "import { S3Client } from '@aws-sdk/client-s3'\nexport const t = new S3Client({})\n"],
  ['no-empty', 'export function f(): void {\n  try {\n    f()\n  } catch {}\n}\n'],
]

function lint(path: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/oxlint'), ['--type-aware', '--format=unix', path], {
      cwd: root,
      encoding: 'utf8',
    })
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout)
  }
}

describe('the linter', () => {
  baits.forEach(([, code], i) => writeFileSync(join(folder, `bait${i}.ts`), code))
  const found = lint(folder)
  it.each(baits.map(([rule, code], i) => [rule, code, i] as const))('%s catches %j', (rule, _code, i) => {
    const lines = found.split('\n').filter((line) => line.includes(`bait${i}.ts`))
    expect(lines.join('\n')).toContain(rule)
  })
})
