/**
 * Follows `deploy/container/Dockerfile` in a folder, without a container: the tarballs are those that this check has packed as
 * the first stage packs them; what the stage `installed` copies and runs, and what the last one sets and starts, is read from the file.
 * The root file system is made by the script that the image uses, of the Node that runs this check.
 */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { check, folder, mustRun, pinned, root } from './project.ts'

type Instruction = readonly [verb: string, rest: string]

function instructions(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const at = line.indexOf(' ')
    return [line.slice(0, at), line.slice(at + 1)]
  })
}

const rests = (all: readonly Instruction[], verb: string) =>
  all.filter(([name]) => name === verb).map(([, rest]) => rest)

/** Bytes of the image as it lies on a disk: 140 MB with a stripped Node 24, 18 MB more where strip is not installed. */
const MAX_IMAGE_BYTES = 165_000_000

function stage(all: readonly Instruction[], name: string): readonly Instruction[] {
  const start = all.findIndex(([verb, rest]) => verb === 'FROM' && rest.endsWith(` AS ${name}`))
  check(start >= 0, `the Dockerfile has no stage ${name}`)
  const end = all.findIndex(([verb], i) => i > start && verb === 'FROM')
  return all.slice(start + 1, end)
}

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** The image has no libraries but these, so its Node has to run with them alone. */
async function checkRoot(place: string): Promise<void> {
  const rootFolder = join(folder, 'image-root')
  await mustRun('sh', [join(root, 'deploy/container/root.sh'), process.execPath, rootFolder], folder)
  const bytes = sizeOf(rootFolder) + sizeOf(place)
  check(bytes <= MAX_IMAGE_BYTES, `the image has ${bytes} bytes`)
  const libraries = readdirSync(rootFolder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.so.6'),
  )
  check(
    libraries.some((path) => path.endsWith('/libc.so.6')),
    `the image has no libc: ${libraries.join(', ')}`,
  )
}

/** @returns how the image starts its server, and its variables */
export async function installImage(
  packed: readonly string[],
): Promise<{ entry: string[]; variables: Record<string, string> }> {
  const place = join(folder, 'image')
  mkdirSync(place)
  const all = instructions(readFileSync(join(root, 'deploy/container/Dockerfile'), 'utf8'))
  const last = all.slice(all.findLastIndex(([verb]) => verb === 'FROM'))
  const installed = stage(all, 'installed')
  checkPins()
  for (const [verb, rest] of installed) {
    if (verb === 'COPY' && rest.startsWith('--from=build ')) {
      mkdirSync(join(place, 'packed'))
      for (const name of packed) copyFileSync(join(folder, name), join(place, 'packed', name))
    } else if (verb === 'COPY') {
      const [from = '', to = ''] = rest.split(' ')
      cpSync(join(root, from), join(place, to))
    } else if (verb === 'RUN') await mustRun('sh', ['-ec', rest], place)
  }
  await checkRoot(place)
  const list = (verb: string) => JSON.parse(rests(last, verb).at(-1) ?? '[]') as string[]
  const [program, ...args] = [...list('ENTRYPOINT'), ...list('CMD')].map((word) =>
    word.replace(/^\/opt\/siltstone\//, ''),
  )
  check(program === 'node', `the image starts ${program}`)
  const variables = Object.fromEntries(rests(last, 'ENV').map((rest) => rest.split('=') as [string, string]))
  check(variables['SILTSTONE_DATA'] === rests(last, 'VOLUME')[0], 'the data are not on the volume')
  return { entry: args, variables }
}

/** The image has the SDK that the tests have. */
function checkPins(): void {
  const text = readFileSync(join(root, 'deploy/container/package.json'), 'utf8')
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> }
  for (const [name, version] of Object.entries(dependencies)) {
    if (version.startsWith('file:')) continue
    check(
      version === pinned(name),
      `deploy/container/package.json: ${name} is ${version}, the lock file has ${pinned(name)}`,
    )
  }
}
