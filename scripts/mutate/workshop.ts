/** A copy of the repository in which one file at a time is changed and the tests near it are run. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  lstatSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Nearest } from './rooms.ts'

export type Verdict = 'killed' | 'survived' | 'timeout' | 'does-not-compile'

/** The mutated text of a whole file. */
export interface Change {
  path: string
  original: string
  mutated: string
}

const LEAST_TIMEOUT_MS = 20_000
/** Factor on the time that the tests take with the unchanged code. */
const TIMEOUT_FACTOR = 5
const TYPE_OPTIONS = [
  '--incremental',
  '--tsBuildInfoFile',
  '.tsbuildinfo',
  '--noUnusedLocals',
  'false',
  '--noUnusedParameters',
  'false',
  '--allowUnreachableCode',
  'true',
]

export class Workshop {
  readonly #root: string
  readonly #baselines: string
  readonly #state: string
  /** Running process groups. */
  readonly #running = new Set<number>()

  /**
   * Copies the files that git tracks or would add, and links the installed packages.
   * @param baselines file with the duration of each set of tests per state of the repository
   */
  constructor(repository: string, root: string, baselines: string) {
    this.#root = root
    this.#baselines = baselines
    rmSync(root, { recursive: true, force: true })
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: repository,
      encoding: 'utf8',
      maxBuffer: 1e8,
    })
    const state = createHash('sha256')
    for (const path of listed.split('\0').sort()) {
      if (path === '' || !existsSync(join(repository, path))) continue
      mkdirSync(dirname(join(root, path)), { recursive: true })
      cpSync(join(repository, path), join(root, path))
      state.update(path).update(readFileSync(join(root, path)))
    }
    this.#state = state.digest('hex')
    linkInstalled(join(repository, 'node_modules'), join(root, 'node_modules'))
    // Versions that a package does not share with the others.
    for (const name of readdirSync(join(root, 'packages'))) {
      const nested = join('packages', name, 'node_modules')
      if (existsSync(join(repository, nested))) symlinkSync(join(repository, nested), join(root, nested))
    }
  }

  /** @throws Error if the unchanged code fails the tests, which would make every verdict meaningless */
  async judge({ path, original, mutated }: Change, nearest: Nearest): Promise<Verdict> {
    for (const tests of [nearest.quick, nearest.slow]) {
      const timeoutMs = await this.#timeoutOf(tests)
      writeFileSync(join(this.#root, path), mutated)
      try {
        const { code } = await this.#vitest(tests, timeoutMs)
        if (code !== 0) return code === 'timeout' ? 'timeout' : 'killed'
      } finally {
        writeFileSync(join(this.#root, path), original)
      }
    }
    return 'survived'
  }

  async #timeoutOf(tests: readonly string[]): Promise<number> {
    const name = `${this.#state} ${tests.join(' ')}`
    const known = existsSync(this.#baselines)
      ? (JSON.parse(readFileSync(this.#baselines, 'utf8')) as Record<string, number>)
      : {}
    const timeoutMs = known[name]
    if (timeoutMs !== undefined) return timeoutMs
    const startedMs = Date.now()
    const { code, output } = await this.#vitest(tests, 0)
    if (code !== 0) throw new Error(`the tests fail without any mutation:\n${output}`)
    const measuredMs = LEAST_TIMEOUT_MS + TIMEOUT_FACTOR * (Date.now() - startedMs)
    writeFileSync(this.#baselines, JSON.stringify({ ...known, [name]: measuredMs }))
    return measuredMs
  }

  /**
   * The changes that do not compile. Each file is changed at most once per run of the compiler.
   * @throws Error if the unchanged code does not compile
   */
  async uncompilable(changes: readonly Change[]): Promise<Set<Change>> {
    const wrong = await this.#typeErrors([])
    if (wrong.length > 0) throw new Error(`the unchanged code does not compile: ${wrong.join(', ')}`)
    const bad = new Set<Change>()
    let rest = [...changes]
    while (rest.length > 0) {
      const batch = new Map<string, Change>()
      for (const change of rest) if (!batch.has(change.path)) batch.set(change.path, change)
      const errors = await this.#typeErrors([...batch.values()])
      const elsewhere = errors.some((path) => !batch.has(path))
      for (const change of batch.values()) {
        const alone = elsewhere && !errors.includes(change.path) ? await this.#typeErrors([change]) : errors
        if (elsewhere && alone !== errors ? alone.length > 0 : alone.includes(change.path)) bad.add(change)
      }
      rest = rest.filter((change) => batch.get(change.path) !== change)
    }
    return bad
  }

  async #typeErrors(changes: readonly Change[]): Promise<string[]> {
    for (const { path, mutated } of changes) writeFileSync(join(this.#root, path), mutated)
    try {
      const { output } = await this.#run(join('node_modules', '.bin', 'tsc'), [
        ...['--noEmit', '--pretty', 'false', '-p', 'tsconfig.json'],
        ...TYPE_OPTIONS,
      ])
      return [...output.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map((match) => match[1] as string)
    } finally {
      for (const { path, original } of changes) writeFileSync(join(this.#root, path), original)
    }
  }

  #vitest(tests: readonly string[], timeoutMs: number) {
    const config = ['--config', 'scripts/mutate/vitest.config.ts', '--bail', '1', '--reporter', 'dot']
    return this.#run(process.execPath, ['node_modules/.bin/vitest', 'run', ...config, ...tests], timeoutMs)
  }

  /** @param timeoutMs 0: no timeout */
  #run(command: string, args: readonly string[], timeoutMs = 0) {
    return new Promise<{ code: number | 'timeout'; output: string }>((resolve, reject) => {
      // Its own process group, so that processes that the tests start end with it.
      const child = spawn(command, args, { cwd: this.#root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
      const { pid } = child
      if (pid !== undefined) this.#running.add(pid)
      let output = ''
      let late = false
      const kill = () => {
        late = true
        if (pid !== undefined) process.kill(-pid, 'SIGKILL')
      }
      const timer = timeoutMs > 0 ? setTimeout(kill, timeoutMs) : undefined
      child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
      child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)))
      child.on('error', reject)
      child.on('close', (code) => {
        clearTimeout(timer)
        if (pid !== undefined) this.#running.delete(pid)
        resolve({ code: late ? 'timeout' : (code ?? 1), output })
      })
    })
  }

  /** Also ends the running tests. */
  remove(): void {
    for (const pid of this.#running) process.kill(-pid, 'SIGKILL')
    rmSync(this.#root, { recursive: true, force: true })
  }
}

/** Packages of this repository resolve to the copy; all others are shared. */
function linkInstalled(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    const source = join(from, name)
    const isLink = lstatSync(source).isSymbolicLink()
    if (name.startsWith('@siltstone')) linkInstalled(source, join(to, name))
    else symlinkSync(isLink ? readlinkSync(source) : source, join(to, name))
  }
}
