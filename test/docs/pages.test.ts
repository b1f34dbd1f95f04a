/** Checks the documentation: links resolve, runnable pages are run, and each page names its test or the date of its check. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { COMMANDS_PAGE, commandsPage } from './commands-page.ts'
import { CONFIGURATION_PAGE, configurationPage } from './configuration-page.ts'
import { blocksOf, runPage } from './page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(root, page)))
const text = (page: string) => readFileSync(join(root, page), 'utf8')
const prose = (markdown: string) => markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** GitHub's name for a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

const anchorsOf = (markdown: string) =>
  [...markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    anchorOf(heading as string),
  )

function brokenLinks(page: string): string[] {
  const targets = [...prose(text(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string)
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : join(dirname(page), path)
    if (!existsSync(join(root, file))) return true
    return anchor !== undefined && file.endsWith('.md') && !anchorsOf(text(file)).includes(anchor)
  })
}

const STATEMENT =
  /^\*(?:Every command on this page is run by|Checked by) `([^`]+)`.*\*$|^\*Checked by hand on \d{4}-\d\d-\d\d\.\*$/m

describe('the documentation', () => {
  it('has no broken link', () => {
    const broken = pages.flatMap((page) => brokenLinks(page).map((target) => `${page}: ${target}`))
    expect(broken).toEqual([])
  })

  it('names on each page its test, or the date of its check by hand', () => {
    const claims = pages.filter((page) => page.startsWith('docs/') && !page.startsWith('docs/decisions/'))
    expect(claims.length).toBeGreaterThan(10)
    const silent = claims.filter((page) => !STATEMENT.test(text(page)))
    expect(silent).toEqual([])
    const missing = claims.filter((page) => {
      const test = STATEMENT.exec(text(page))?.[1]
      return test !== undefined && !existsSync(join(root, test))
    })
    expect(missing).toEqual([])
  })

  it('shows every command as its help does (node test/docs/commands-page.ts)', async () => {
    expect(readFileSync(COMMANDS_PAGE, 'utf8')).toBe(await commandsPage())
  })

  it('shows every setting as its table has it (node test/docs/configuration-page.ts)', () => {
    expect(readFileSync(CONFIGURATION_PAGE, 'utf8')).toBe(configurationPage())
  })

  const runnable = pages.filter((page) => blocksOf(text(page)).some(({ words }) => words.includes('run')))
  it('has pages that can be run', () => expect(runnable).toContain('docs/tutorial/getting-started.md'))
  it.each(runnable)('%s does what it shows', async (page) => expect(await runPage(text(page))).toEqual([]), 120_000)
})
