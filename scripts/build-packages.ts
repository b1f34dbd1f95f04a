/**
 * `npm run build`: compiles the published packages and writes each one into `packages/<name>/dist`, ready for
 * `npm publish packages/<name>/dist`: modules and declarations, README, LICENSE, and a `package.json` derived from the
 * package's own.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { consoleFiles } from '@siltstone/console'
import { describeCommands, loadCommandLine, manName, manPage, nodesOf } from 'siltstone/internal'
import { buildPageFiles, buildReader } from '@siltstone/reader/build'
import { modelPath } from '@siltstone/transcriber-english'
import { isBuilt } from '@siltstone/transcriber-english/build'
import { spawnSync } from 'node:child_process'
import { declarationsFrom } from './declarations.ts'
import { type Manifest, publishable } from './publishable.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = mkdtempSync(join(tmpdir(), 'siltstone-build-'))

function compile(): void {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'packages/siltstone/tsconfig.build.json', '--outDir', compiled]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`the compiler exited with ${status}`)
}

function layOut(name: string): void {
  const source = join(root, 'packages', name)
  const dist = join(source, 'dist')
  rmSync(dist, { recursive: true, force: true })
  cpSync(join(compiled, name, 'src'), dist, { recursive: true })
  const plain = readdirSync(join(source, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.cjs'),
  )
  for (const path of plain) cpSync(join(source, 'src', path), join(dist, path))
  for (const file of ['README.md', 'LICENSE']) cpSync(join(source, file), join(dist, file))
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(publishable(manifest), null, 2)}\n`)
}

/** `npm install --global` puts the pages where `man` finds them. */
async function writeManPages(): Promise<void> {
  const dist = join(root, 'packages/siltstone/dist')
  mkdirSync(join(dist, 'man'))
  const pages = [...nodesOf(describeCommands(await loadCommandLine()))].map((node) => {
    const file = `man/${manName(node)}.1`
    writeFileSync(join(dist, file), manPage(node))
    return `./${file}`
  })
  const manifest = JSON.parse(readFileSync(join(dist, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ ...manifest, man: pages }, null, 2)}\n`)
}

/** The console is its built files, and the module that reads them. */
async function layOutConsole(): Promise<void> {
  rmSync(join(root, 'packages/console/src/static'), { recursive: true, force: true })
  const files = await consoleFiles()
  layOut('console')
  const dist = join(root, 'packages/console/dist')
  for (const extra of readdirSync(dist)) if (extra.startsWith('build.')) rmSync(join(dist, extra))
  mkdirSync(join(dist, 'static'))
  for (const { name, bytes } of files) writeFileSync(join(dist, 'static', name), bytes)
}

/** The reader is a bundle without dependencies, and its declarations with those that they name. */
async function layOutReader(): Promise<void> {
  layOut('reader')
  const dist = join(root, 'packages/reader/dist')
  for (const path of readdirSync(dist)) if (/\.(js|d\.ts)$/.test(path)) rmSync(join(dist, path))
  for (const { name, bytes } of await buildReader({ index: './index.ts' })) writeFileSync(join(dist, name), bytes)
  cpSync(join(compiled, 'reader/src/files.js'), join(dist, 'files.js'))
  cpSync(join(compiled, 'reader/src/files.d.ts'), join(dist, 'files.d.ts'))
  mkdirSync(join(dist, 'static'))
  for (const { name, bytes } of await buildPageFiles()) writeFileSync(join(dist, 'static', name), bytes)
  const faces = { 'siltstone/reading': 'siltstone/src/reading.d.ts' }
  for (const [path, text] of declarationsFrom(compiled, 'reader/src/index.d.ts', faces)) {
    mkdirSync(dirname(join(dist, path)), { recursive: true })
    writeFileSync(join(dist, path), text)
  }
}

/** The transcriber has a model of 44 MB, which is made on demand: `npm run build:speech-model`. */
function layOutTranscriber(): void {
  if (!isBuilt()) {
    console.log('@siltstone/transcriber-english is left out: its model is made by npm run build:speech-model')
    return
  }
  layOut('transcriber-english')
  const dist = join(root, 'packages/transcriber-english/dist')
  rmSync(join(dist, 'build'), { recursive: true })
  cpSync(modelPath, join(dist, 'model', basename(modelPath)))
}

try {
  compile()
  for (const name of ['siltstone', 'migrate', 'processors', 'mcp', 'objects', 'registry', 'site']) layOut(name)
  await writeManPages()
  await layOutConsole()
  await layOutReader()
  layOutTranscriber()
} finally {
  rmSync(compiled, { recursive: true, force: true })
}
