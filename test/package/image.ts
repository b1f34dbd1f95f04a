/**
 * Follows `deploy/container/Dockerfile` in a folder, without a container: the tarballs are those that this check has packed as
 * the first stage packs them, and what the last stage copies, runs, sets and starts is read from the file. Instructions about
 * the image's own user and file system have no meaning here.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
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
const ABOUT_THE_USER = /^install -d -o \d+ -g \d+ -m \d+ \/data$/

/** @returns how the image starts its server, and its variables */
export async function installImage(
  packed: readonly string[],
): Promise<{ entry: string[]; variables: Record<string, string> }> {
  const place = join(folder, 'image')
  mkdirSync(place)
  const all = instructions(readFileSync(join(root, 'deploy/container/Dockerfile'), 'utf8'))
  const last = all.slice(all.findLastIndex(([verb]) => verb === 'FROM'))
  checkPins()
  for (const [verb, rest] of last) {
    if (verb === 'COPY' && rest.startsWith('--from=build ')) {
      mkdirSync(join(place, 'packed'))
      for (const name of packed) copyFileSync(join(folder, name), join(place, 'packed', name))
    } else if (verb === 'COPY') {
      const [from = '', to = ''] = rest.split(' ')
      cpSync(join(root, from), join(place, to))
    } else if (verb === 'RUN' && !ABOUT_THE_USER.test(rest)) await mustRun('sh', ['-ec', rest], place)
  }
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
