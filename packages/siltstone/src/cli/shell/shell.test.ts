import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { siltstone } from '../testing/in-process.ts'
import { loadCommandLine } from '../run.ts'
import { completionScript, SHELLS, type Shell } from './completion.ts'
import { type CommandNode, describe as describeCommand, nodesOf } from './describe.ts'
import { manName, manPage } from './man.ts'

const installed = (name: string) => spawnSync(name, ['--version']).error === undefined
const shells = SHELLS.filter(installed)

let folder: string
let program: CommandNode
let nodes: CommandNode[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-shell-'))
  mkdirSync(join(folder, 'data folder'))
  writeFileSync(join(folder, 'dates.json'), '')
  program = describeCommand(await loadCommandLine())
  nodes = [...nodesOf(program)]
  for (const shell of SHELLS) writeFileSync(join(folder, `script.${shell}`), completionScript(shell, program))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Completes each line in one shell. Of zsh, the functions that offer words are replaced: they need a terminal. */
const DRIVERS: Record<Shell, string> = {
  bash: `source ./script.bash
    while IFS= read -r line; do
      read -ra COMP_WORDS <<<"$line"
      [[ $line == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _siltstone; (IFS=$'\\t'; printf '%s\\n' "\${COMPREPLY[*]}")
    done`,
  zsh: `typeset -a out
    compdef() { }
    _files() { local -a found=( \${cur}*(N) ); out+=($found) }
    offer() { local one; for one in "$@"; do [[ $one == $cur* ]] && out+=("$one"); done }
    compadd() { shift; offer "$@" }
    _describe() { offer "\${(@)\${(P)2}%%:*}" }
    source ./script.zsh
    while IFS= read -r line; do
      words=(\${(s: :)line}); [[ $line == *' ' ]] && words+=('')
      CURRENT=\${#words}; out=(); _siltstone; print -r -- \${(pj:\\t:)out}
    done`,
  fish: `source ./script.fish
    while read line
      string join \\t -- (complete -C "$line" | string replace -r '\\t.*' '')
    end; true`,
}

function complete(shell: Shell, lines: readonly string[]): string[][] {
  const options = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell]
  const { stdout, stderr, status } = spawnSync(shell, [...options, '-c', DRIVERS[shell]], {
    cwd: folder,
    input: lines.map((line) => `${line}\n`).join(''),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
    .split('\n')
    .slice(0, lines.length)
    .map((line) => line.split('\t').filter(Boolean))
}

it('finds bash, which every machine that runs the tests has', () => expect(shells).toContain('bash'))

describe.each(shells)('completion in %s', (shell) => {
  const one = (line: string) => complete(shell, [line])[0]?.sort()

  it('offers the commands, and every option of each', () => {
    const groups = nodes.filter(({ commands }) => commands.length > 0)
    const lineOf = ({ path }: CommandNode, more: string) => ['siltstone', ...path, more].join(' ')
    const commands = complete(
      shell,
      groups.map((node) => lineOf(node, '')),
    )
    for (const [i, node] of groups.entries())
      expect(commands[i]?.sort()).toEqual(node.commands.map(({ path }) => path.at(-1) ?? '').sort())
    const options = complete(
      shell,
      nodes.map((node) => lineOf(node, '--')),
    )
    for (const [i, node] of nodes.entries()) {
      const long = node.options.flatMap(({ names }) => names).filter((name) => name.startsWith('--'))
      expect(options[i]?.sort(), node.path.join(' ')).toEqual(long.sort())
    }
  })

  it('offers the values of an option, and files where it takes a file', () => {
    expect(one('siltstone serve --log-level ')).toEqual(['debug', 'error', 'info', 'silent', 'warn'])
    expect(one('siltstone serve --log-level de')).toEqual(['debug'])
    expect(one('siltstone serve --tokens dat')?.map((name) => name.replace(/\/$/, ''))).toEqual(
      expect.arrayContaining(['dates.json']),
    )
    expect(one('siltstone serve --port ')).toEqual([])
    expect(one('siltstone completion --h')).toEqual(['--help'])
  })

  it('passes over the values of options, which may look like commands', () => {
    expect(one('siltstone serve --data query --no-comp')).toEqual(['--no-compaction'])
    expect(one('siltstone collections --data fork --h')).not.toContain('--host')
    expect(one('siltstone collections li')).toEqual(['list'])
    expect(one('siltstone nothing li')).not.toContain('list')
  })
})

describe('manual pages', () => {
  it('name every command and option', () => {
    for (const node of nodes) {
      const page = manPage(node)
      const plain = page.replaceAll('\\-', '-').replaceAll('\\fB', '').replaceAll('\\fR', '')
      expect(plain).toMatch(/^\.TH SILTSTONE/)
      for (const { names } of node.options) for (const name of names) expect(plain).toContain(name)
      for (const child of node.commands) expect(plain).toContain(manName(child))
      for (const example of node.examples) expect(plain).toContain(example.replaceAll('\\', '\\e'))
      expect(page, 'only ASCII, so that every locale shows it').toMatch(/^[\n -~]+$/)
    }
    expect(nodes.find(({ path }) => path.join(' ') === 'serve')?.examples).toContain(
      'siltstone serve --data s3://my-bucket/store',
    )
  })

  it.each(['mandoc', 'groff'].filter(installed))('are read by %s without a complaint', (formatter) => {
    const args = { mandoc: ['-Tlint', '-W', 'warning'], groff: ['-man', '-Tutf8', '-ww', '-W', 'break', '-z'] }[
      formatter
    ]
    const { stdout, stderr } = spawnSync(formatter, args, {
      input: nodes.map((node) => manPage(node)).join(''),
      encoding: 'utf8',
    })
    const complaints = [stdout, stderr]
      .join('')
      .split('\n')
      .filter((line) => line !== '' && !/missing date|more than one/i.test(line))
    expect(complaints).toEqual([])
  })

  it('are printed by "siltstone man"', async () => {
    expect((await siltstone(['man', 'collections', 'list'])).out).toContain('.TH SILTSTONE\\-COLLECTIONS\\-LIST 1')
    expect((await siltstone(['man', 'migrate', 'chroma-dir'])).out).toContain('.TH SILTSTONE\\-MIGRATE')
    expect(await siltstone(['man', 'nothing'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('"nothing"') as string,
    })
    const { out } = await siltstone(['completion', 'bash'])
    expect(out).toBe(completionScript('bash', program))
    expect(await siltstone(['completion', 'csh'])).toMatchObject({ code: 2 })
  })
})
