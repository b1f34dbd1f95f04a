/**
 * Runs a page of the documentation as a reader would: it writes the files, runs the commands in order in one directory,
 * and compares their output with the page. The word after a block's language decides what happens:
 *
 * | info string        |                                                                          |
 * |--------------------|--------------------------------------------------------------------------|
 * | `json file=NAME`   | written to NAME (any language)                                           |
 * | `sh run`           | run by bash; every line must succeed                                     |
 * | `sh background`    | started and left running until the page ends; waits for its first output |
 * | `text output`      | the output of the command before it, without trailing spaces             |
 *
 * Blocks without such a word are not run.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Block {
  language: string
  words: readonly string[]
  text: string
  /** Line of its opening fence, from 1. */
  line: number
}

export interface Difference {
  line: number
  expected: string
  printed: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\S*)\s*(.*)$/.exec(lines[i] as string)
    if (!fence) continue
    const end = lines.indexOf('```', i + 1)
    if (end < 0) throw new Error(`the block that begins in line ${i + 1} has no end`)
    const words = (fence[2] as string).split(/\s+/).filter((word) => word !== '')
    blocks.push({ language: fence[1] as string, words, text: lines.slice(i + 1, end).join('\n'), line: i + 1 })
    i = end
  }
  return blocks
}

/**
 * @returns the differences between output and page
 * @throws Error when a command fails
 */
export async function runPage(markdown: string): Promise<Difference[]> {
  const folder = mkdtempSync(join(tmpdir(), 'siltstone-docs-'))
  const running: ChildProcess[] = []
  try {
    prepare(folder)
    const differences: Difference[] = []
    let printed = ''
    for (const block of blocksOf(markdown)) {
      const file = block.words.find((word) => word.startsWith('file='))
      if (file !== undefined) writeFileSync(join(folder, file.slice('file='.length)), `${block.text}\n`)
      else if (block.words.includes('run')) printed = await run(block, folder)
      else if (block.words.includes('background')) running.push(await start(block, folder))
      else if (block.words.includes('output') && normal(printed) !== normal(block.text))
        differences.push({ line: block.line, expected: normal(block.text), printed: normal(printed) })
    }
    return differences
  } finally {
    for (const child of running) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Stands for the reader's installation: the packages are this repository's, and `siltstone` runs its sources. */
function prepare(folder: string): void {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const command = join(bin, 'siltstone')
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${root}packages/siltstone/src/cli/main.ts" "$@"\n`)
  chmodSync(command, 0o755)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
}

function environment(folder: string): NodeJS.ProcessEnv {
  const path = [join(folder, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter)
  return { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined, COLUMNS: undefined }
}

function run({ text, line }: Block, folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('bash', ['-e', '-c', text], { cwd: folder, env: environment(folder) }, (error, stdout, stderr) => {
      if (error) reject(new Error(`the block in line ${line} failed:\n${text}\n${stdout}${stderr}`, { cause: error }))
      else resolve(stdout)
    })
  })
}

function start({ text, line }: Block, folder: string): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `exec ${text}`], { cwd: folder, env: environment(folder) })
    child.stdout.once('data', () => resolve(child))
    child.once('exit', (code) => reject(new Error(`the block in line ${line} ended with ${code}:\n${text}`)))
    child.once('error', reject)
  })
}

const normal = (text: string): string => text.replaceAll(/[ \t]+$/gm, '').trim()
