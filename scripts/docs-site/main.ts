/**
 * `npm run docs:site [-- --out FOLDER] [--base PATH]`: builds the documentation as a static site: pages of `docs/` and of what they lead
 * to, a reference of the API from the types, and search by `siltstone publish --site`. Default folder: `docs-site`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { linkProblems } from './check-links.ts'
import { apiReference, writeDeclarations } from './api-reference.ts'
import { repositoryFiles, ROOT } from './files.ts'
import { FILES, pageHtml } from './layout.ts'
import { sitePages } from './pages.ts'

const { values } = parseArgs({
  options: { out: { type: 'string', default: 'docs-site' }, base: { type: 'string', default: '/' } },
})
const out = resolve(values.out)
const own = (name: string) => fileURLToPath(new URL(name, import.meta.url))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(out, path)), { recursive: true })
  writeFileSync(join(out, path), text)
}

const scratch = mkdtempSync(join(tmpdir(), 'siltstone-docs-site-'))
try {
  writeDeclarations(scratch)
  const api = apiReference(scratch)
  const { pages, navigation, assets } = sitePages(repositoryFiles())
  const all = [...pages, ...api.pages]
  const html = new Map(all.map((page) => [page.path, pageHtml(page, [...navigation, api.group])]))
  const problems = linkProblems(html, new Set([...FILES, ...assets.keys()]))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  rmSync(out, { recursive: true, force: true })
  for (const [path, text] of html) write(path, text)
  for (const [place, path] of assets) cpSync(join(ROOT, path), join(out, place))
  for (const name of ['site.css', 'site.js']) cpSync(own(name), join(out, name))
  cpSync(join(ROOT, 'packages/console/src/icon.svg'), join(out, 'icon.svg'))
  const cli = join(ROOT, 'packages/siltstone/src/cli/main.ts')
  execFileSync(process.execPath, [cli, 'publish', '--site', out, '--base', values.base], { stdio: 'inherit' })
  console.log(`${all.length} pages in ${out}`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
