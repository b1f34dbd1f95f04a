/** The demo's texts: documentation that every machine with this package has, or a folder of the user's own. */
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { notFound } from '../../../errors.ts'
import { fileInfo, readFileText } from '../../../platform/files.ts'
import { walkDirectory } from '../../../platform/walk-directory.ts'

export interface SourceFile {
  /** As it is shown: the path below `node_modules`, or below the user's folder. */
  source: string
  /** The npm package it documents; undefined for a user's own file. */
  packageName: string | undefined
  text: string
}

export interface Sources {
  files: SourceFile[]
  bytes: number
  /** Files that were left out because there were too many. */
  leftOut: number
  /** Files whose text another had already. */
  duplicates: number
}

const MAX_FILES = 400
const MAX_BYTES = 6_000_000
const MAX_FILE_BYTES = 400_000

const MARKDOWN = /\.(md|markdown|mdx)$/i
const TEXT = /\.(md|markdown|mdx|txt|rst|adoc|org)$/i
/** Licences, logs of changes and translations say little, or the same once more. */
const DULL =
  /(^|\/)(licen[cs]e|changelog|changes|history|code[-_]of[-_]conduct|security|notice)[^/]*$|readme[._-][a-z]{2}(-[a-z]{2})?\.md$/i

/** Markdown files of the npm packages installed beside this one. @throws SiltstoneError `not-found` (no-documents) */
export async function packageDocuments(): Promise<Sources> {
  const roots = await nodeModules()
  const candidates: Candidate[] = []
  for (const root of roots)
    for await (const file of walkDirectory(root, { enter: isWorthEntering, onError: () => {} })) {
      if (!MARKDOWN.test(file.relativePath) || DULL.test(file.relativePath)) continue
      candidates.push({ ...file, packageName: packageOf(file.relativePath) })
    }
  return read(
    candidates,
    `No Markdown files were found in ${roots.join(', ') || 'any node_modules'}: run "npm ci" first, or name a folder.`,
  )
}

/** Text files of a folder. @throws SiltstoneError `not-found` */
export async function ownDocuments(directory: string): Promise<Sources> {
  if ((await fileInfo(directory))?.kind !== 'directory')
    throw notFound('no-documents', `${directory} is not a folder; name one with Markdown or text files`)
  const candidates: Candidate[] = []
  const enter = (path: string) => !/(^|\/)(node_modules|\.git|dist)$/.test(path)
  for await (const file of walkDirectory(directory, { enter, onError: () => {} }))
    if (TEXT.test(file.relativePath)) candidates.push({ ...file, packageName: undefined })
  return read(candidates, `No Markdown or text files were found in ${directory}.`)
}

interface Candidate {
  path: string
  relativePath: string
  sizeBytes: number
  packageName: string | undefined
}

/** The nearest files to each package's root first: its README before the documentation of its parts. */
async function read(candidates: Candidate[], whenNone: string): Promise<Sources> {
  const sources: Sources = { files: [], bytes: 0, leftOut: 0, duplicates: 0 }
  const seen = new Set<string>()
  candidates.sort((a, b) => depth(a) - depth(b) || (a.relativePath < b.relativePath ? -1 : 1))
  for (const { path, relativePath, sizeBytes, packageName } of candidates) {
    if (sources.files.length >= MAX_FILES || sources.bytes + sizeBytes > MAX_BYTES || sizeBytes > MAX_FILE_BYTES) {
      sources.leftOut++
      continue
    }
    const text = await readFileText(path)
    const hash = createHash('sha256').update(text).digest('base64')
    if (seen.has(hash)) {
      sources.duplicates++
      continue
    }
    seen.add(hash)
    sources.files.push({ source: relativePath, packageName, text })
    sources.bytes += Buffer.byteLength(text)
  }
  if (sources.files.length === 0) throw notFound('no-documents', whenNone)
  return sources
}

function depth({ relativePath }: Candidate): number {
  return relativePath.split('/').length
}

/** Code, tests and caches hold no documentation, and many files. */
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

/** Every `node_modules` that this module could import from, the nearest first. */
async function nodeModules(): Promise<string[]> {
  const found: string[] = []
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const path = at.endsWith('node_modules') ? at : join(at, 'node_modules')
    if (!found.includes(path) && (await fileInfo(path))?.kind === 'directory') found.push(path)
    if (dirname(at) === at) return found
  }
}
