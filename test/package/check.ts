/**
 * Uses the published packages from outside: builds and packs them, installs them into new projects, and runs the files in
 * `consumer/` there, on each supported runtime and as a bundle. Ends with `N passed, N failed`.
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { begin, check, folder, here, install, mustRun, pinned, root, run, weigh } from './project.ts'
import { installImage } from './image.ts'
import { installRuntimes, type Runtime } from './runtimes.ts'

const MAX_PACKAGES = 25
const MAX_MEGABYTES = 25
/** The oldest compiler that reads the declarations. */
const OLD_TYPESCRIPT = '5.6.3'

interface Packed {
  name: string
  filename: string
  files: { path: string }[]
}

let packed: Packed[] = []
let runtimes: Runtime[] = []
let oldNode = ''
/** The project with all packages. */
let project = ''

async function pack(): Promise<void> {
  await mustRun(process.execPath, ['packages/transcriber-english/src/build/build-model.ts'], root)
  await mustRun('npm', ['run', 'build'], root)
  const folders = [
    'siltstone/dist',
    'migrate/dist',
    'mcp/dist',
    'console/dist',
    'objects/dist',
    'reader/dist',
    'registry/dist',
    'site/dist',
    'transcriber-english/dist',
    'embedder-english',
  ].map((name) => `./packages/${name}`)
  const out = await mustRun('npm', ['pack', '--json', '--pack-destination', folder, ...folders], root)
  packed = Object.values(JSON.parse(out) as Record<string, Packed>)
  check(packed.length === folders.length, `npm pack made ${packed.length} packages`)
}

/** The tarballs as dependencies of a project. */
function tarballs(...names: string[]): Record<string, string> {
  const wanted = packed.filter(({ name }) => names.includes(name))
  return Object.fromEntries(wanted.map(({ name, filename }) => [name, `file:${join(folder, filename)}`]))
}

function contents(): void {
  for (const { name, files } of packed) {
    const paths = files.map((file) => file.path)
    for (const needed of ['LICENSE', 'README.md', 'package.json'])
      check(paths.includes(needed), `${name} comes without ${needed}`)
    const unwanted = paths.filter((one) =>
      /\.(test|contract|child|fuzz)\.|(^|\/)testing(\/|\.)|^src\/|[^d]\.ts$|checks\.json/.test(one),
    )
    check(unwanted.length === 0, `${name} holds ${unwanted.join(', ')}`)
  }
}

/** Measures an installation of Siltstone alone. */
async function small(): Promise<void> {
  const { packages, megabytes } = weigh(await install('small', tarballs('siltstone', '@siltstone/embedder-english')))
  console.log(`       ${packages} packages, ${megabytes.toFixed(1)} MB`)
  check(packages <= MAX_PACKAGES, `${packages} packages; at most ${MAX_PACKAGES} are allowed`)
  check(megabytes <= MAX_MEGABYTES, `${megabytes} MB; at most ${MAX_MEGABYTES} are allowed`)
}

/** Installs the packages, the compilers, the client and a bundler. */
async function installAll(): Promise<void> {
  const others = ['chromadb', 'typescript', '@types/node', 'esbuild'].map((name) => [name, pinned(name)])
  project = await install('project', {
    ...tarballs(...packed.map(({ name }) => name)),
    ...(Object.fromEntries(others) as Record<string, string>),
    'typescript-old': `npm:typescript@${OLD_TYPESCRIPT}`,
  })
  cpSync(join(here, 'consumer'), project, { recursive: true })
}

function machinePaths(): void {
  const installed = packed.map(({ name }) => join(project, 'node_modules', name))
  const places = [root, folder, homedir()].filter((place) => place.length > 1)
  for (const directory of installed) {
    for (const file of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || !/\.(c?js|ts|map|json|md)$/.test(file.name)) continue
      const text = readFileSync(join(file.parentPath, file.name), 'utf8')
      const found = places.find((place) => new RegExp(`${place.replaceAll(/[.\\]/g, '\\$&')}[/"]`).test(text))
      check(found === undefined, `${file.parentPath}/${file.name} names ${found}`)
    }
  }
}

/** The declarations of `chromadb` import a package that it does not depend on, so only Siltstone's are checked. */
async function types(): Promise<void> {
  for (const config of ['tsconfig.json', 'tsconfig.client.json'])
    await mustRun(process.execPath, ['node_modules/typescript/bin/tsc', '-p', config], project)
  for (const config of ['tsconfig.json', 'tsconfig.bundler.json'])
    await mustRun(process.execPath, ['node_modules/typescript-old/bin/tsc', '-p', config], project)
}

async function library({ name, command: [program, ...options] }: Runtime): Promise<void> {
  const data = join(folder, `library ${name}`)
  const out = await mustRun(program, [...options, 'library.ts', data], project)
  check(out.trim() === 'done', out)
  check((await mustRun(program, [...options, 'without-aws.ts'], project)).trim() === 'done', 'without AWS')
  check((await mustRun(program, [...options, 'reader.ts', `${data} read`], project)).trim() === 'done', 'reader')
}

/** Runs a bundle in a folder with only the embedder's files, then with the modules of the threads beside it. */
async function bundle(): Promise<void> {
  const place = join(folder, 'bundle')
  const options = ['--bundle', '--platform=node', '--format=esm', '--log-level=warning', '--out-extension:.js=.mjs']
  const entries = [
    'library.ts',
    'compaction-worker=node_modules/siltstone/library/compaction-worker.js',
    'query-worker=node_modules/siltstone/library/query-worker.js',
  ]
  const embedder = 'node_modules/@siltstone/embedder-english'
  for (const [name, modules] of [
    ['alone', entries.slice(0, 1)],
    ['threads', entries],
  ] as const) {
    const out = join(place, name)
    await mustRun('node_modules/.bin/esbuild', [...modules, ...options, `--outdir=${out}`], project)
    cpSync(join(project, embedder), join(out, embedder), { recursive: true })
    const expected = name === 'alone' ? ['compaction_in_process'] : []
    const said = await mustRun(process.execPath, ['library.mjs', join(out, 'data'), ...expected], out)
    check(said.trim() === 'done', said)
  }
}

/** With the SDK installed, opening a bucket sends requests; no server listens at that address. */
async function withAws(): Promise<void> {
  const { peerDependencies } = JSON.parse(
    readFileSync(join(project, 'node_modules/siltstone/package.json'), 'utf8'),
  ) as { peerDependencies: Record<string, string> }
  const sdk = Object.keys(peerDependencies).filter(
    (name) => /^@(aws-sdk|smithy)\//.test(name) && !name.includes('bedrock'),
  )
  const directory = await install('aws', {
    ...tarballs('siltstone', '@siltstone/embedder-english'),
    ...Object.fromEntries(sdk.map((name) => [name, pinned(name)])),
  })
  cpSync(join(here, 'consumer/with-aws.ts'), join(directory, 'with-aws.ts'))
  for (const { command } of runtimes) {
    const [program, ...options] = command
    const said = await mustRun(program, [...options, 'with-aws.ts'], directory)
    check(said.trim() === 'done', said)
  }
}

async function commandLine(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'packages/siltstone/package.json'), 'utf8')) as {
    version: string
  }
  const siltstone = (...args: string[]) => mustRun('npx', ['--no-install', 'siltstone', ...args], project)
  const help = await siltstone('--help')
  check(help.includes('serve') && help.includes('ingest'), help)
  check((await siltstone('--version')).trim() === version, 'another version')
  check((await siltstone('migrate', '--help')).includes('chroma-dir'), 'migrate has no commands')
  const ping = 'echo \'{"jsonrpc":"2.0","id":7,"method":"ping"}\' | npx --no-install siltstone mcp --data memory'
  check((await mustRun('sh', ['-c', ping], project)).includes('"id":7'), 'mcp does not answer')
  const data = join(folder, 'command-line')
  const line = '{"id":"a","document":"Silt settles where water slows down."}\n'
  writeFileSync(join(folder, 'records.jsonl'), line)
  const common = ['--data', data, '--json']
  await siltstone('produce', 'notes', join(folder, 'records.jsonl'), '--create', ...common)
  await siltstone('compact', ...common)
  const found = await siltstone('query', 'notes', '--text', 'why do rivers drop mud?', ...common)
  check(found.includes('"a"'), found)
  await siltstone('verify', ...common)
  const pages = join(folder, 'pages')
  await siltstone('publish', 'notes', '--out', pages, ...common)
  for (const name of ['search.json', 'siltstone-search.js', 'pagefind.js'])
    check(readdirSync(pages).includes(name), `publish wrote no ${name}`)
}

/** The model hears nothing in a second of silence. */
async function transcriber(): Promise<void> {
  const program = `
    import { loadRuntime, modelPath } from '@siltstone/transcriber-english'
    const context = new (loadRuntime().WhisperContext)({ filePath: modelPath, useGpu: false })
    const { promise } = context.transcribeData(new Int16Array(16_000).buffer, { language: 'en', maxThreads: 1 })
    const { segments } = await promise
    console.log(segments.every(({ text }) => /^ *(\\[.*\\]|\\(.*\\))?$/.test(text)) ? 'done' : segments)
    await context.release()`
  const said = await mustRun(process.execPath, ['--input-type=module', '-e', program], project)
  check(said.trim() === 'done', said)
}

async function tooOld(): Promise<void> {
  const bin = 'node_modules/siltstone/cli/siltstone.cjs'
  const { code, out, err } = await run(oldNode, [bin, '--version'], project)
  check(code === 1 && out === '', `exit ${code}: ${out}`)
  const imported = await run(oldNode, ['--input-type=module', '-e', "await import('siltstone')"], project)
  check(imported.err.includes('Siltstone needs Node.js 22.16 or newer, this is 18.'), imported.err)
  check(/^error: siltstone needs Node\.js 22\.16 or newer, this is 18\.\S+: .+\n$/.test(err), err)
}

async function server({ name, command: [program, ...options] }: Runtime): Promise<void> {
  const args = ['serve', '--port', '0', '--data', join(folder, `served ${name}`), '--query-threads', '1', '--json']
  const child = begin(program, [...options, 'node_modules/siltstone/cli/siltstone.cjs', ...args], project)
  try {
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
    const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.includes('}')) break
    }
    check(said.includes('"url"'), `the server did not start: ${said}${log}`)
    const { url } = JSON.parse(said) as { url: string }
    check((await mustRun(process.execPath, ['client.ts', url], project)).trim() === 'done', 'the client did not end')
    const metrics = await (await fetch(`${url}/metrics`)).text()
    check(metrics.includes('siltstone_process_resident_memory_bytes ') && metrics.endsWith('# EOF\n'), metrics)
    child.kill('SIGTERM')
    check((await exited) === 0, `the server ended badly: ${log}`)
    check(!/"level":[56]0/.test(log), log)
  } finally {
    child.kill('SIGKILL')
  }
}

/** The image of deploy/container, without its base. */
async function image(): Promise<void> {
  const { entry, variables } = await installImage(packed.map(({ filename }) => filename))
  const child = begin(process.execPath, entry, join(folder, 'image'), {
    ...variables,
    SILTSTONE_DATA: join(folder, 'image-data'),
    SILTSTONE_HOST: '127.0.0.1',
    SILTSTONE_PORT: '0',
  })
  try {
    const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (/http:\S+/.test(said)) break
    }
    const url = /http:\/\/[\d.]+:\d+/.exec(said)?.[0]
    check(url !== undefined, `the image's server did not start: ${said}`)
    for (const path of ['/healthz', '/readyz', '/', '/docs']) {
      const { status } = await fetch(`${url}${path}`)
      check(status === 200, `${path}: ${status}`)
    }
    child.kill('SIGTERM')
    check((await exited) === 0, 'the server of the image ended badly')
  } finally {
    child.kill('SIGKILL')
  }
}

/** Checks installed packages for known serious vulnerabilities; prints it if the registry does not answer. */
async function audit(): Promise<void> {
  const { out, err } = await run('npm', ['audit', '--omit=dev', '--json'], root)
  let report: { metadata?: { vulnerabilities?: Record<string, number> } }
  try {
    report = JSON.parse(out) as typeof report
  } catch {
    report = {}
  }
  const found = report.metadata?.vulnerabilities
  if (found === undefined) {
    console.log(`audit not answered (${err.split('\n').find((line) => line.includes('audit')) ?? 'no reason given'})`)
    return
  }
  check((found['high'] ?? 0) + (found['critical'] ?? 0) === 0, out)
}

type Step = [string, () => void | Promise<void>]

const preparing: Step[] = [
  ['builds and packs', pack],
  ['holds what it should', contents],
  ['stays small', small],
  ['installs into a fresh project', installAll],
  ['names no place of this machine', machinePaths],
  ['type-checks, declarations included', types],
  ['finds the runtimes', async () => void ({ runtimes, oldNode } = await installRuntimes())],
]
/** Runs the library on each runtime. */
const using = (runtime: Runtime): Step[] => [
  [`works as a library on ${runtime.name}`, () => library(runtime)],
  [`serves the chromadb client on ${runtime.name}`, () => server(runtime)],
]
const ending: Step[] = [
  ['works as a command', commandLine],
  ['has a model of speech', transcriber],
  ['works as a bundle', bundle],
  ['opens a bucket with the AWS SDK', withAws],
  ['installs and serves as the image does', image],
  ['tells an old Node what it needs', tooOld],
  ['has no known hole', audit],
]
let passed = 0
let failed = 0
async function take([name, step]: Step): Promise<void> {
  const startedMs = performance.now()
  try {
    await step()
    passed++
    console.log(`ok     ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed++
    console.log(`FAILED ${name}\n${error instanceof Error ? error.message : String(error)}`)
  }
}
for (const step of preparing) await take(step)
for (const step of [...runtimes.flatMap(using), ...ending]) await take(step)
rmSync(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
