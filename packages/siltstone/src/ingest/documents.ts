/** Finds and reads the text files to ingest. */
import { createHash } from 'node:crypto'
import { join, normalize } from 'node:path'
import { notFound } from '../errors.ts'
import { fileInfo, readFileText } from '../host/files.ts'
import { walkDirectory } from '../host/walk-directory.ts'

export interface SourceFile {
  /** The path as the user gave it: unique, and the same when the file is ingested again. */
  source: string
  /** The npm package that it documents; undefined for a user's own file. */
  packageName: string | undefined
  text: string
  /** The first 16 hexadecimal digits of the text's SHA-256. */
  hash: string
}

export interface Candidate {
  path: string
  relativePath: string
  sizeBytes: number
  packageName: string | undefined
}

export interface Tally {
  read: number
  bytes: number
  /** Files that were skipped because there were too many, or because they are too large. */
  omitted: number
  /** Files with the same text as an earlier file. */
  duplicates: number
}

export const newTally = (): Tally => ({ read: 0, bytes: 0, omitted: 0, duplicates: 0 })

export interface Sources extends Tally {
  files: SourceFile[]
}

export interface ReadLimits {
  files: number
  bytes: number
  fileBytes: number
}

const TEXT = /\.(md|markdown|mdx|txt|text|rst|adoc|org)$/i

/**
 * Finds the text files of folders; files given by name are taken as they are.
 * @throws SiltstoneError `not-found` (no-documents)
 */
export async function findDocuments(paths: readonly string[]): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  const enter = (path: string) => !/(^|\/)(node_modules|\.[^/]+|dist)$/.test(path)
  for (const path of paths) {
    const info = await fileInfo(path)
    if (!info) throw notFound('no-documents', `there is no file or folder ${path}`, { field: 'paths' })
    if (info.kind === 'file')
      candidates.push({ path, relativePath: normalize(path), sizeBytes: info.sizeBytes, packageName: undefined })
    else
      for await (const file of walkDirectory(path, { enter }))
        if (TEXT.test(file.relativePath))
          candidates.push({ ...file, relativePath: join(path, file.relativePath), packageName: undefined })
  }
  if (candidates.length === 0)
    throw notFound('no-documents', `no Markdown or text files were found in ${paths.join(', ')}`, { field: 'paths' })
  return candidates
}

/** Reads files one by one, those nearest to the root first, within the limits; counts read and skipped files in `tally`. */
export async function* eachDocument(
  candidates: readonly Candidate[],
  limits: ReadLimits,
  tally: Tally,
): AsyncGenerator<SourceFile> {
  const seen = new Set<string>()
  for (const { path, relativePath, sizeBytes, packageName } of [...candidates].sort(byDepth)) {
    const isTooMuch = tally.read >= limits.files || tally.bytes + sizeBytes > limits.bytes
    if (isTooMuch || sizeBytes > limits.fileBytes) {
      tally.omitted++
      continue
    }
    const text = await readFileText(path)
    const digest = createHash('sha256').update(text).digest('hex')
    if (seen.has(digest)) {
      tally.duplicates++
      continue
    }
    seen.add(digest)
    tally.read++
    tally.bytes += Buffer.byteLength(text)
    yield { source: relativePath, packageName, text, hash: digest.slice(0, 16) }
  }
}

/** Reads all files into memory, for a small number of files. */
export async function readDocuments(candidates: readonly Candidate[], limits: ReadLimits): Promise<Sources> {
  const tally = newTally()
  const files: SourceFile[] = []
  for await (const file of eachDocument(candidates, limits, tally)) files.push(file)
  return { ...tally, files }
}

function byDepth(a: Candidate, b: Candidate): number {
  const depth = ({ relativePath }: Candidate) => relativePath.split('/').length
  return depth(a) - depth(b) || (a.relativePath < b.relativePath ? -1 : 1)
}
