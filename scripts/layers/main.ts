/** `npm run layers`: checks the imports of the whole repository. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './check.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const IGNORED =
  /(?:^|\/)(?:assembly|golden|dist|consumer)\/|(?:^|\/)vitest(?:\.slow)?\.config\.ts$|^scripts\/layers\/check\.test\.ts$/

const paths = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && !IGNORED.test(path) && existsSync(join(root, path)))
const problems = check(paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })))
for (const { path, line, message } of problems) console.error(`${path}:${line} ${message}`)
console.log(problems.length === 0 ? `layers: ${paths.length} files in order` : `layers: ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
