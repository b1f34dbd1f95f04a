/** The guide agrees with the programs, alarms, rules and permissions. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { RULES } from '../policy-pack/policies.ts'
import { alarms } from '../src/monitoring/alarms.ts'
import { PERMISSIONS, type Run } from '../src/testing/index.ts'
import { EVERYTHING } from './support/iam.ts'
import { bootstrap, run } from './support/program.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PAGES = [
  'configure',
  'preview',
  'deploy',
  'verify',
  'test',
  'upgrade',
  'purposes',
  'objects',
  'registry',
  'destroy',
]
const PERMISSIONS_PAGE = 'docs/reference/aws-permissions.md'
const page = (name: string) => readFileSync(`${ROOT}docs/how-to/aws/${name}.md`, 'utf8')
const overview = readFileSync(`${ROOT}docs/how-to/aws/README.md`, 'utf8')

describe('the guide', () => {
  it('has a page for each step, and links lead somewhere', () => {
    for (const name of PAGES) expect(overview).toContain(`(${name}.md)`)
    expect(overview).toContain('(../../reference/aws-permissions.md)')
    for (const [file, text] of [
      ['docs/how-to/aws/README.md', overview],
      ...PAGES.map((name) => [`docs/how-to/aws/${name}.md`, page(name)]),
    ]) {
      for (const [, target = ''] of (text ?? '').matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)) {
        expect(existsSync(new URL(target, `file://${ROOT}${file}`)), `${file}: ${target}`).toBe(true)
      }
    }
  })

  it('explains every option that the program reads', () => {
    const program = readFileSync(`${ROOT}infra/index.ts`, 'utf8')
    const read = [...program.matchAll(/(?:optional|config\.get\w*)\('(\w+)'\)/g)].map(([, name]) => name ?? '')
    expect(read.length).toBeGreaterThan(15)
    expect(read.filter((name) => !page('configure').includes(`\`${name}\``))).toEqual([])
  })

  it('explains every alarm', () => {
    const watched = { queue: 'q', deadLetterQueue: 'd', producer: 'p', compactor: 'c', query: 'q', api: 'a' }
    const ingest = { queue: 'i', deadLetterQueue: 'j', function: 'k' }
    const registry = { function: 'r', maintainHours: 24 }
    const ids = alarms({ ...watched, ingest, registry, scheduleMinutes: 15 }).map(({ id }) => id)
    const missing = ids.filter((id) => !page('verify').includes(`\`${id}\``))
    expect(missing).toEqual([])
  })

  it('explains every rule', () => {
    const text = page('preview')
    const named = (name: string) =>
      text.includes(`\`${name}\``) || text.includes(`\`${name.replace('bucket-is', '')}\``)
    expect(RULES.map(({ name }) => name).filter((name) => !named(name))).toEqual([])
  })

  it('shows every row of the permission table, and explains each difference of the verdicts', () => {
    const rows = readFileSync(`${ROOT}${PERMISSIONS_PAGE}`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| who'))
    expect(rows.length).toBe(PERMISSIONS.length)
    for (const row of rows) {
      const [evaluator = '', server = ''] = row.split(' | ').slice(-2)
      const differ = evaluator.includes('Allowed') !== server.includes('Allowed')
      if (differ) expect(server, row).toMatch(/does not know|not asked/)
    }
  })

  let stack: Run
  let admin: Run
  let all: Run
  beforeAll(async () => {
    stack = await run({ stack: 'prod' })
    admin = await bootstrap({ githubRepository: 'owner/name' })
    all = await run({ stack: 'prod', ...EVERYTHING })
  })

  it('reads only outputs that exist', () => {
    const text = [overview, ...PAGES.map(page)].join('\n')
    const known = new Set([stack, admin, all].flatMap(({ outputs }) => Object.keys(outputs)))
    const used = [...text.matchAll(/pulumi stack output (\w+)/g)].map(([, name]) => name ?? '')
    expect(used.length).toBeGreaterThan(5)
    expect(used.filter((name) => !known.has(name))).toEqual([])
    expect(Object.keys(admin.outputs).filter((name) => !page('configure').includes(`\`${name}\``))).toEqual([])
  })

  it('says how many resources a preview shows', () => {
    const count = stack.resources.filter(({ custom }) => custom).length
    const [, from, to] = /(\d+) to (\d+) resources/.exec(page('preview')) ?? []
    expect(count).toBeGreaterThanOrEqual(Number(from))
    expect(count).toBeLessThanOrEqual(Number(to))
  })
})
