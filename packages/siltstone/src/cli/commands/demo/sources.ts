/** The demo's texts: documentation that every machine with this package has, or a folder of the user's own. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { notFound } from '../../../errors.ts'
import { fileInfo } from '../../../host/files.ts'
import { walkDirectory } from '../../../host/walk-directory.ts'
import { type Candidate, findDocuments, readDocuments, type Sources } from '../../../ingest/index.ts'

const LIMITS = { files: 400, bytes: 6_000_000, fileBytes: 400_000 }

const MARKDOWN = /\.(md|markdown|mdx)$/i
/** Licences, changelogs and translations say little, or repeat other files. */
const UNINFORMATIVE =
  /(^|\/)(licen[cs]e|changelog|changes|history|code[-_]of[-_]conduct|security|notice)[^/]*$|readme[._-][a-z]{2}(-[a-z]{2})?\.md$/i

/** Markdown files of the npm packages installed beside this one. @throws SiltstoneError `not-found` (no-documents) */
export async function packageDocuments(): Promise<Sources> {
  const roots = await nodeModules()
  const candidates: Candidate[] = []
  for (const root of roots)
    for await (const file of walkDirectory(root, { enter: isWorthEntering, onError: () => {} })) {
      if (!MARKDOWN.test(file.relativePath) || UNINFORMATIVE.test(file.relativePath)) continue
      candidates.push({ ...file, packageName: packageOf(file.relativePath) })
    }
  if (candidates.length === 0)
    throw notFound(
      'no-documents',
      `no Markdown files were found in ${roots.join(', ') || 'any node_modules'}: run "npm ci" first, or give a folder`,
    )
  return readDocuments(candidates, LIMITS)
}

/** Text files of a folder. @throws SiltstoneError `not-found` (no-documents) */
export async function ownDocuments(directory: string): Promise<Sources> {
  return readDocuments(await findDocuments([directory]), LIMITS)
}

/** Code, tests and caches have many files and no documentation. */
function isWorthEntering(relativePath: string): boolean {
  const name = relativePath.slice(relativePath.lastIndexOf('/') + 1)
  return !/^(\..+|dist|lib|cjs|esm|src|test|tests|__tests__|build|include|types|typings)$/.test(name)
}

function packageOf(relativePath: string): string {
  // The innermost node_modules names the package.
  const inner = relativePath.split('node_modules/').at(-1) ?? relativePath
  const [first = '', second = ''] = inner.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

/** The `node_modules` directories from which this module can import, nearest first. */
async function nodeModules(): Promise<string[]> {
  const found: string[] = []
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const path = at.endsWith('node_modules') ? at : join(at, 'node_modules')
    if (!found.includes(path) && (await fileInfo(path))?.kind === 'directory') found.push(path)
    if (dirname(at) === at) return found
  }
}
