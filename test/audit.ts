/**
 * Looks at what the packages depend on when they run: `npm run audit`. Ends with `N passed, N failed`.
 *
 * 1. The lock file: everything comes from a registry with a SHA-512 of its content, never from a folder, a repository or an
 *    address of its own, and nothing but what is listed here runs a script when it is installed.
 * 2. Known vulnerabilities: `npm audit --omit=dev`. Where the registry cannot be reached, or answers no such question
 *    (mirrors), this fails in CI and is said and passed over elsewhere; `AUDIT_REQUIRED=true` or `false` decides it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const required = (process.env['AUDIT_REQUIRED'] ?? process.env['CI'] ?? 'false') !== 'false'
/**
 * By path in the lock file. `node` links the pinned runtime into place. `esbuild` checks its program; it works without that,
 * and `allowScripts` of `package.json` does not run it. The same holds for ffmpeg, which only tests use: its script makes
 * the program executable, which it is already. That of `tesseract.js` asks for donations.
 */
const MAY_RUN_SCRIPTS: ReadonlySet<string> = new Set([
  'node_modules/node',
  'node_modules/esbuild',
  'node_modules/fsevents',
  'node_modules/tesseract.js',
  'node_modules/@ffmpeg-installer/darwin-arm64',
  'node_modules/@ffmpeg-installer/darwin-x64',
  'node_modules/@ffmpeg-installer/linux-arm',
  'node_modules/@ffmpeg-installer/linux-arm64',
  'node_modules/@ffmpeg-installer/linux-ia32',
  'node_modules/@ffmpeg-installer/linux-x64',
])

interface Locked {
  link?: boolean
  resolved?: string
  integrity?: string
  hasInstallScript?: boolean
  inBundle?: boolean
}

function problemsOfLock(): string[] {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as { packages: Record<string, Locked> }
  return Object.entries(lock.packages).flatMap(([path, { link, resolved, integrity, hasInstallScript, inBundle }]) => {
    if (!path.includes('node_modules/') || link === true || inBundle === true) return []
    const problems: string[] = []
    // Left out: from the registry that npm is configured with.
    if (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'))
      problems.push(`comes from ${resolved}`)
    if (integrity?.startsWith('sha512-') !== true) problems.push('has no SHA-512')
    if (hasInstallScript === true && !MAY_RUN_SCRIPTS.has(path)) problems.push('runs a script when it is installed')
    return problems.map((problem) => `${path} ${problem}`)
  })
}

interface Audit {
  vulnerabilities?: Record<string, { name: string; severity: string; range: string; fixAvailable: unknown }>
  message?: string
}

function advisories(): string[] {
  const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: root, encoding: 'utf8' })
  let answer: Audit
  try {
    answer = JSON.parse(stdout ?? '') as Audit
  } catch (cause) {
    answer = { message: `npm audit gave no answer (${error?.message ?? String(cause)})` }
  }
  if (answer.vulnerabilities === undefined) {
    const problem = `The registry could not be asked: ${answer.message ?? 'no answer'}`
    if (required) return [problem]
    console.log(`${problem}. Passed over, outside CI.`)
    return []
  }
  return Object.values(answer.vulnerabilities).map(
    ({ name, severity, range, fixAvailable }) =>
      `${name} ${range}: ${severity}${fixAvailable === false ? '' : ', fix available'}`,
  )
}

let failed = 0
const checks = { 'lock file': problemsOfLock, advisories }
for (const [name, check] of Object.entries(checks)) {
  const problems = check()
  if (problems.length > 0) failed++
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  for (const problem of problems) console.log(`       ${problem}`)
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
